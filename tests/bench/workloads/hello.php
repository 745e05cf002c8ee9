<?php
// Nothing but the way in and out of php-fpm.
echo "hello\n";
