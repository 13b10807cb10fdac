import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { AssistantInfo, ChatEvent, StoredMessage, ToolOutcome } from '@/shared/chat';
import { type ChatApi, Problem } from './api';

export interface ToolUse {
  name: string;
  outcome: ToolOutcome;
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
}

export interface ChatState {
  entries: ChatEntry[];
  assistant: AssistantInfo['assistant'] | null;
  model: string | null;
  answering: boolean;
  /** The last complete answer, for screen readers. */
  announcement: string;
}

export interface FirstChat {
  conversationId: string | null;
  messages: StoredMessage[] | null;
  assistant: AssistantInfo | null;
}

interface Surroundings {
  /** The assistant changed todos. */
  onTodosChanged: () => void;
  /** The conversation has another id, or none. */
  onConversation: (id: string | null) => void;
}

/** The conversation of one page: its entries, and the one answer that may be running. */
export class ChatStore {
  private entries: ChatEntry[];
  private conversationId: string | null;
  private assistant: AssistantInfo['assistant'] | null;
  private model: string | null;
  private announcement = '';
  private running: AbortController | null = null;
  private state: ChatState;
  private readonly listeners = new Set<() => void>();

  /** Whether the stored messages of the conversation are still to be fetched. */
  private historyMissing: boolean;

  constructor(
    private readonly api: ChatApi,
    first: FirstChat,
    private readonly surroundings: Surroundings,
  ) {
    this.entries = (first.messages ?? []).map(({ id, role, text }) => entry(role, text, id));
    this.conversationId = first.conversationId;
    this.historyMissing = first.conversationId !== null && first.messages === null;
    this.assistant = first.assistant?.assistant ?? null;
    this.model = first.assistant?.model ?? null;
    this.state = this.snapshot();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getState = (): ChatState => this.state;

  /** Fetch what the page came without. What fails stays missing. */
  async loadMissing(): Promise<void> {
    await Promise.all([this.loadAssistant(), this.loadHistory()]);
  }

  private async loadAssistant(): Promise<void> {
    if (this.assistant !== null) return;
    const info = await this.api.info().catch(() => null);
    if (!info) return;
    this.assistant = info.assistant;
    this.model = info.model;
    this.publish();
  }

  private async loadHistory(): Promise<void> {
    const id = this.conversationId;
    if (!this.historyMissing || id === null) return;
    this.historyMissing = false;
    const messages = await this.api.messages(id).catch(() => null);
    if (messages === null) {
      this.historyMissing = true;
    } else if (id === this.conversationId) {
      this.entries = [
        ...messages.map((stored) => entry(stored.role, stored.text, stored.id)),
        ...this.entries,
      ];
      this.publish();
    }
  }

  /** Note what the person did by hand. Notes that follow each other become one line. */
  note(sentence: string): void {
    const last = this.entries.at(-1);
    if (last?.role === 'activity') this.entries = this.entries.slice(0, -1);
    const earlier = last?.role === 'activity' ? last.earlier + 1 : 0;
    const place = this.running ? this.entries.length - 1 : this.entries.length;
    this.entries = this.entries.toSpliced(place, 0, { ...entry('activity', sentence), earlier });
    this.announcement = sentence;
    this.publish();
  }

  /** Leave this conversation and begin another. */
  startAnew(): void {
    this.stop();
    this.entries = [];
    this.setConversation(null);
    this.publish();
  }

  /** End the running answer; what has come stays. */
  stop(): void {
    this.running?.abort();
  }

  /**
   * Send a message and show the answer as it comes.
   * @returns null, or why the message was not taken; then it is not in the conversation either
   */
  async send(message: string): Promise<Problem | null> {
    const controller = new AbortController();
    this.running = controller;
    const before = this.entries;
    const answer: ChatEntry = { ...entry('assistant', ''), streaming: true };
    this.entries = [...this.entries, entry('user', message), answer];
    this.publish();
    let response: Response;
    try {
      response = await this.post(message, controller.signal);
    } catch (error) {
      this.entries = before;
      this.running = null;
      this.publish();
      if (isAbort(error)) return new Problem('failed', 'Stopped before the message was taken.');
      return error instanceof Problem ? error : new Problem('failed', 'The message could not be sent.');
    }
    await this.follow(response, answer.id);
    return null;
  }

  private async post(message: string, signal: AbortSignal): Promise<Response> {
    try {
      return await this.api.send(message, this.conversationId, signal);
    } catch (error) {
      const forgotten = error instanceof Problem && error.kind === 'gone' && this.conversationId !== null;
      if (!forgotten) throw error;
      this.setConversation(null);
      return this.api.send(message, null, signal);
    }
  }

  private async follow(response: Response, answerId: string): Promise<void> {
    let ended = false;
    try {
      for await (const event of chatEvents(response)) {
        if (event.event === 'done') ended = true;
        this.take(event, answerId);
      }
      if (!ended) this.update(answerId, { problem: 'The answer was cut off.' });
    } catch (error) {
      this.update(answerId, { problem: isAbort(error) ? 'Stopped.' : 'The answer was cut off.' });
    }
    if (!ended) this.surroundings.onTodosChanged();
    this.running = null;
    this.update(answerId, { streaming: false });
    this.announcement = this.entries.find(({ id }) => id === answerId)?.text ?? '';
    this.publish();
  }

  private take(event: ChatEvent, answerId: string): void {
    const answer = this.entries.find(({ id }) => id === answerId);
    if (!answer) return;
    switch (event.event) {
      case 'start':
        this.assistant = event.data.assistant;
        if (event.data.assistant === 'rules') this.model = null;
        this.setConversation(event.data.conversation_id);
        break;
      case 'delta':
        this.update(answerId, { text: answer.text + event.data.text });
        break;
      case 'tool':
        this.update(answerId, { tools: [...answer.tools, event.data] });
        if (event.data.outcome === 'ok' && changesTodos(event.data.name)) this.surroundings.onTodosChanged();
        break;
      case 'error':
        this.update(answerId, { problem: event.data.message });
        break;
      case 'done':
        if (event.data.todos_changed) this.surroundings.onTodosChanged();
        break;
    }
  }

  private setConversation(id: string | null): void {
    if (id === this.conversationId) return;
    this.conversationId = id;
    this.surroundings.onConversation(id);
  }

  private update(id: string, change: Partial<ChatEntry>): void {
    this.entries = this.entries.map((known) => (known.id === id ? { ...known, ...change } : known));
    this.publish();
  }

  private snapshot(): ChatState {
    const { entries, assistant, model, announcement } = this;
    return { entries, assistant, model, announcement, answering: this.running !== null };
  }

  private publish(): void {
    this.state = this.snapshot();
    for (const listener of this.listeners) listener();
  }
}

function entry(role: ChatEntry['role'], text: string, id: string = crypto.randomUUID()): ChatEntry {
  return { id, role, text, tools: [], problem: null, streaming: false, earlier: 0 };
}

const READING_TOOLS = ['list_todos', 'search_todos'];

function changesTodos(tool: string): boolean {
  return !READING_TOOLS.includes(tool);
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

const EVENTS = ['start', 'delta', 'tool', 'done', 'error'];

/** The events of a streamed answer; those of another name are left out. */
export async function* chatEvents(response: Response): AsyncGenerator<ChatEvent> {
  if (!response.body) return;
  const events = response.body
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array<ArrayBuffer>, string>)
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { event = '', data } = next.value;
      if (EVENTS.includes(event)) yield { event, data: JSON.parse(data) } as ChatEvent;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
