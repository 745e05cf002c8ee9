<?php
// What Excimer's manual does: sample the CPU time of a request, keep the stacks.
$profiler = new ExcimerProfiler();
$profiler->setEventType(EXCIMER_CPU);
$profiler->setPeriod(0.01);
$profiler->start();
register_shutdown_function(function () use ($profiler) {
    $profiler->stop();
    file_put_contents(getenv('RIVAL_DIR') . '/excimer.' . getmypid(), $profiler->getLog()->formatCollapsed(), FILE_APPEND);
});
