<?php
// Allocation-heavy object code on the Zend heap: what a framework does between two queries.
final class Item
{
    public array $options = [];

    public function __construct(public string $sku, public float $price, public ?Item $parent = null)
    {
    }

    public function with(string $key, mixed $value): static
    {
        $copy = clone $this;
        $copy->options[$key] = $value;
        return $copy;
    }
}

$total = 0.0;
$list = [];
for ($i = 0; $i < 20000; $i++) {
    $item = new Item('SKU-' . $i, $i % 97 / 3, $list[$i - 1] ?? null);
    $item = $item->with('size', $i % 12)->with('colour', dechex($i));
    $total += $item->price;
    if ($i % 4 === 0) {
        $list[$i] = $item;
    }
}
usort($list, fn ($a, $b) => $a->price <=> $b->price ?: strcmp($a->sku, $b->sku));
echo count($list), ' ', round($total, 2), "\n";
