/** How the line begins that a worker prints before it stops for good: it tells who waits to kill it. */
export const stoppedMark = "Stopped after operation";
