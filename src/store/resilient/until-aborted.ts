/** Waiting that ends with its signal, also for work that does not look at it. */

/** @throws the signal's reason once it is aborted; what the work comes to is dropped then. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    const letGo = () => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    void work.then(resolve, reject).finally(letGo);
  });
}
