export const dynamic = 'force-dynamic';

/** The process alone: it answers, so it lives. */
export function GET(): Response {
  return Response.json({ status: 'ok' });
}
