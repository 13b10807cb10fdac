/** The shapes of the backend's conversation API. */

export interface AssistantInfo {
  version: string;
  assistant: 'gemini' | 'rules';
  model: string | null;
}

/** A way to go on, as a button: `message` is what it sends. */
export interface Choice {
  label: string;
  message: string;
}

export interface StoredMessage {
  id: string;
  role: 'user' | 'assistant';
  text: string;
  created_at: string;
  /** What `POST /api/undo/{id}` takes, when this answer changed todos. */
  undo: string | null;
  choices: Choice[];
}

/** A conversation in a list of them: how it began, and when something was said last. */
export interface ConversationSummary {
  id: string;
  title: string;
  updated_at: string;
}

export type ToolOutcome = 'ok' | 'refused' | 'error';

/** How an answer ends. */
export interface AnswerEnd {
  message_id: string | null;
  todos_changed: boolean;
  undo: string | null;
  choices: Choice[];
}

/** One event of a streamed answer. `error` is a plain sentence and is followed by `done`. */
export type ChatEvent =
  | { event: 'start'; data: { conversation_id: string; assistant: 'gemini' | 'rules' } }
  | { event: 'delta'; data: { text: string } }
  | { event: 'tool'; data: { name: string; outcome: ToolOutcome } }
  | { event: 'done'; data: AnswerEnd }
  | { event: 'error'; data: { message: string } };

/** Cookie that holds the id of the visitor's conversation. */
export const CONVERSATION_COOKIE = 'todo_conversation';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether the text has the form of an id, so that it may become part of a path. */
export function isId(text: string | undefined): text is string {
  return text !== undefined && UUID.test(text);
}
