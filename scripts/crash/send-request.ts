/**
 * `fetch`, once more where the connection was lost: workerd closes one that was idle for five
 * seconds, perhaps under a request, and every request here may be repeated. A server that is gone
 * refuses the second one too. Nothing is compressed, which would take longer than it saves.
 */
export async function sendRequest(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  const request = { ...init, headers };
  try {
    return await fetch(url, request);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fetch(url, request);
  }
}
