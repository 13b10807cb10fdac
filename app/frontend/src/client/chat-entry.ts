import type { AnswerEnd, Choice, StoredMessage, ToolOutcome } from '@/shared/chat';

export interface ToolUse {
  name: string;
  outcome: ToolOutcome;
}

/** What can be taken back of an answer. `refused`: no longer, and `problem` says why. */
export interface UndoOffer {
  id: string;
  state: 'offered' | 'running' | 'done' | 'refused';
  problem: string | null;
}

/** One entry of the conversation. `activity`: something that the person did by hand. */
export interface ChatEntry {
  id: string;
  role: 'user' | 'assistant' | 'activity';
  text: string;
  tools: ToolUse[];
  /** Why the answer ended early. */
  problem: string | null;
  streaming: boolean;
  /** With `activity`: how many notes this line stands for beside its own. */
  earlier: number;
  undo: UndoOffer | null;
  choices: Choice[];
}

/** A new entry. */
export function entry(role: ChatEntry['role'], text: string, change: Partial<ChatEntry> = {}): ChatEntry {
  const id = crypto.randomUUID();
  const bare = { id, role, text, tools: [], problem: null, streaming: false, earlier: 0 };
  return { ...bare, undo: null, choices: [], ...change };
}

/** The entry of a stored message. */
export function entryOf(stored: StoredMessage): ChatEntry {
  return entry(stored.role, stored.text, { id: stored.id, ...offers(stored) });
}

/** What an answer leaves to do: take it back, or go on. */
export function offers({
  undo,
  choices,
}: Pick<AnswerEnd, 'undo' | 'choices'>): Pick<ChatEntry, 'undo' | 'choices'> {
  return { undo: undo ? { id: undo, state: 'offered', problem: null } : null, choices: choices ?? [] };
}

const READING_TOOLS = ['list_todos', 'search_todos'];

/** Whether a tool of this name can have changed todos. */
export function changesTodos(tool: string): boolean {
  return !READING_TOOLS.includes(tool);
}
