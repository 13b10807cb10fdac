import type { Todo } from '@/shared/todo';

/** Why a call failed, as far as a person can do something about it. */
export type ProblemKind =
  | 'offline'
  | 'unreachable'
  | 'refused-token'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'failed';

/** A call that did not do what it should; `message` is a plain sentence. */
export class Problem extends Error {
  override name = 'Problem';
  constructor(
    readonly kind: ProblemKind,
    message: string,
    /** With `conflict`: the todo as it is now. */
    readonly current: Todo | null = null,
  ) {
    super(message);
  }

  /** Whether the service was out of reach, so that the same call may succeed later. */
  get isConnection(): boolean {
    return this.kind === 'offline' || this.kind === 'unreachable';
  }
}

/** What a failure means that is none of the API's. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('failed', 'Something went wrong on this page.');
}

/** Why no answer came at all. */
export function noConnection(): Problem {
  const offline = typeof navigator !== 'undefined' && navigator.onLine === false;
  return offline
    ? new Problem('offline', 'You are offline.')
    : new Problem('unreachable', 'This page cannot reach its server.');
}

/**
 * What an answer that is no success means for a person.
 * @param detail the backend's own sentence, when it gave one
 * @param current with 409: the todo as it is now
 */
export function problemOfStatus(status: number, detail: string | null, current: Todo | null = null): Problem {
  switch (status) {
    case 401:
      return new Problem(
        'refused-token',
        'The todo service refuses the token of this page’s server. Both need the same API_TOKEN.',
      );
    case 404:
      return new Problem('gone', 'It no longer exists.');
    case 409:
      return new Problem('conflict', detail && !current ? detail : 'It was changed elsewhere.', current);
    case 413:
      return new Problem('invalid', 'That is too long.');
    case 422:
      return new Problem('invalid', detail ?? 'That is not valid.');
    case 502:
      return new Problem('unreachable', 'The todo service is not reachable.');
    case 503:
      return new Problem('unreachable', 'The database is not reachable.');
    case 504:
      return new Problem('unreachable', 'The todo service does not answer.');
    default:
      return new Problem('failed', detail ?? `The todo service answered with an error (${status}).`);
  }
}

const FIELD_WORDS: Record<string, string> = {
  title: 'The title',
  text: 'The title',
  message: 'The message',
  due_date: 'The due date',
  due_time: 'The time',
  priority: 'The priority',
  tags: 'A tag',
  q: 'The search',
};

/** FastAPI's `detail`, a sentence or a list of what is wrong with which field, in a person's words. */
export function detailInWords(detail: unknown): string | null {
  if (typeof detail === 'string') return detail;
  if (!Array.isArray(detail)) return null;
  const sentences = detail.flatMap((entry: { loc?: unknown[]; msg?: unknown }) => {
    if (typeof entry?.msg !== 'string') return [];
    // A place inside a list ends with its number; what names the field comes before it.
    const field = (entry.loc ?? []).findLast((part) => typeof part === 'string' && part !== 'body');
    return [inWords(typeof field === 'string' ? field : null, entry.msg)];
  });
  return sentences.length > 0 ? [...new Set(sentences)].join(' ') : null;
}

/** One complaint of Pydantic's, such as “String should have at most 500 characters”. */
function inWords(field: string | null, complaint: string): string {
  const words = complaint
    .replace(/^Value error, /, '')
    .replace(/^(String|List|Input|Value) should/, 'should')
    .replace(/^should match pattern .*/, 'has characters that cannot be kept')
    .replace(/ after validation, not \d+/, '');
  if (field === null) return sentence(words);
  return sentence(`${FIELD_WORDS[field] ?? field.replaceAll('_', ' ')} ${words}`);
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? '' : '.');
}
