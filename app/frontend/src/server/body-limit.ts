/** The longest body that a browser may send: as much as the backend takes. */
export const BODY_MAX_BYTES = 64 * 1024;

/** A body went over the limit. */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

/** Whether the request says itself that its body is over the limit. */
export function declaresTooLarge(headers: Headers): boolean {
  return Number(headers.get('content-length') ?? 0) > BODY_MAX_BYTES;
}

/**
 * Pass a body on piece by piece.
 * @throws BodyTooLarge as soon as it goes over the limit
 */
export async function* limitedBody(body: ReadableStream<Uint8Array>, maxBytes = BODY_MAX_BYTES) {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > maxBytes) throw new BodyTooLarge();
    yield piece;
  }
}
