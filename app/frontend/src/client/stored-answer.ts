import type { StoredMessage } from '@/shared/chat';
import type { ChatApi } from './api';

/** The backend gives up an answer after a minute. */
const ANSWER_WITHIN_MS = 75_000;
const FIRST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 5_000;

/**
 * The stored answer to the last message of a conversation. The backend finishes and stores an answer also when the page
 * that asked has gone, so this looks for it after growing waits, until it is there or too old.
 * @param question what was asked; null is returned when something else was asked since
 */
export async function storedAnswer(
  api: Pick<ChatApi, 'messages'>,
  conversationId: string,
  question: string,
  signal: AbortSignal,
): Promise<StoredMessage | null> {
  const giveUp = Date.now() + ANSWER_WITHIN_MS;
  for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = Math.min(wait * 1.5, LONGEST_LOOK_MS)) {
    const messages = await api.messages(conversationId).catch(() => null);
    const last = messages?.at(-1);
    if (last?.role === 'assistant') return messages?.at(-2)?.text === question ? last : null;
    const isOld = last !== undefined && Date.now() - Date.parse(last.created_at) > ANSWER_WITHIN_MS;
    if (isOld || Date.now() > giveUp || (last && last.text !== question)) return null;
    await pause(wait, signal);
  }
  return null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}
