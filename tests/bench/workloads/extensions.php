<?php
// Allocation-heavy native code: libxml2, ICU, PCRE; nearly every malloc is an extension's.
$xml = '<feed>';
for ($i = 0; $i < 400; $i++) {
    $xml .= "<item id=\"$i\"><name>Product $i</name><price currency=\"EUR\">" . ($i * 1.21) . '</price></item>';
}
$xml .= '</feed>';
$sum = 0;
for ($round = 0; $round < 3; $round++) {
    $doc = new DOMDocument();
    $doc->loadXML($xml);
    $path = new DOMXPath($doc);
    foreach ($path->query('//item[position() mod 3 = 0]/price') as $price) {
        $sum += (float) $price->textContent;
    }
    $simple = simplexml_load_string($xml);
    $sum += count($simple->item);
    $format = new NumberFormatter('nl_NL', NumberFormatter::CURRENCY);
    for ($i = 0; $i < 200; $i++) {
        $sum += strlen($format->formatCurrency($i * 1.5, 'EUR'));
    }
    $doc->saveXML();
}
echo round($sum, 2), "\n";
