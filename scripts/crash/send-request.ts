/**
 * `fetch`, once more where the connection was lost: workerd closes one that was idle for five
 * seconds, perhaps under a request, and every request here may be repeated. A server that is gone
 * refuses the second one too.
 */
export async function sendRequest(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fetch(url, init);
  }
}
