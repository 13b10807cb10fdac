import { backendAnswersProbe } from '@/server/backend';
import { notReadyReason, updateReadiness, waitsForBackend } from '@/server/readiness';

export const dynamic = 'force-dynamic';

/** Below the one second that Kubernetes gives a probe by default. */
const HEALTH_MS = 800;
const DEEP_MS = 10_000;

/** Whether this process should get traffic; with `deep=1` also whether the backend and its database answer now. */
export async function GET(request: Request): Promise<Response> {
  if (waitsForBackend() && (await backendAnswersProbe('/health', HEALTH_MS))) {
    updateReadiness({ backendReached: true });
  }
  const reason = notReadyReason();
  if (reason !== null) return Response.json({ status: 'not_ready', reason }, { status: 503 });

  const deep = new URL(request.url).searchParams.get('deep') === '1';
  if (deep && !(await backendAnswersProbe('/ready?deep=1', DEEP_MS))) {
    return Response.json({ status: 'not_ready', reason: 'the backend is not ready' }, { status: 503 });
  }
  return Response.json({ status: 'ok' });
}
