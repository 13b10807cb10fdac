import type { AssistantInfo, ChatEvent, StoredMessage } from '@/shared/chat';
import type { ChatApi } from './api';
import { type ChatEntry, changesTodos, entry, entryOf, offers } from './chat-entry';
import { chatEvents } from './chat-events';
import { Problem } from './problem';
import { storedAnswer } from './stored-answer';

export interface ChatState {
  conversationId: string | null;
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
  /** The ids of the todos as the page shows them now, which is what "the second one" means. */
  shown: () => string[];
}

/** A message on its way and the answer to it. */
interface Turn {
  controller: AbortController;
  question: string;
  answerId: string;
}

const CUT_OFF = 'The answer was cut off.';
const STOPPED = 'Stopped.';
const UNANSWERED = 'This message was not answered.';
/** Why an answer has no end here, although the backend may have stored it to its end. */
const UNFINISHED = [CUT_OFF, STOPPED, UNANSWERED];

/** The conversation of one page: its entries, and the one answer that may be running. */
export class ChatStore {
  private entries: ChatEntry[];
  private conversationId: string | null;
  private assistant: AssistantInfo['assistant'] | null;
  private model: string | null;
  private announcement = '';
  private turn: Turn | null = null;
  /** The turn whose answer the backend may still be making for a page that was there before this one. */
  private expected: Turn | null = null;
  /** The turn that ended early here, while it is looked for how it ended in the backend. */
  private unfinished: Turn | null = null;
  private state: ChatState;
  private readonly listeners = new Set<() => void>();

  /** Whether the stored messages of the conversation are still to be fetched. */
  private historyMissing: boolean;

  constructor(
    private readonly api: ChatApi,
    first: FirstChat,
    private readonly surroundings: Surroundings,
  ) {
    this.entries = (first.messages ?? []).map(entryOf);
    this.conversationId = first.conversationId;
    this.historyMissing = first.conversationId !== null && first.messages === null;
    this.assistant = first.assistant?.assistant ?? null;
    this.model = first.assistant?.model ?? null;
    this.expectAnswer();
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
      this.entries = [...messages.map(entryOf), ...this.entries];
      this.expectAnswer();
      this.publish();
      void this.resume();
    }
  }

  /** A conversation that ends with a message may have its answer under way, as after a reload in mid-answer. */
  private expectAnswer(): void {
    const last = this.entries.at(-1);
    if (this.turn !== null || last?.role !== 'user') return;
    // An id that the server and the browser find alike.
    const answer = entry('assistant', '', { id: `answer-to-${last.id}`, streaming: true });
    this.entries = [...this.entries, answer];
    this.turn = { controller: new AbortController(), question: last.text, answerId: answer.id };
    this.expected = this.turn;
  }

  /** Wait for the answer that was under way when the page was loaded, when there is one. */
  async resume(): Promise<void> {
    const turn = this.expected;
    this.expected = null;
    if (turn === null) return;
    if (!(await this.catchUp(turn))) {
      this.update(turn.answerId, { problem: turn.controller.signal.aborted ? STOPPED : UNANSWERED });
    }
    this.end(turn);
  }

  private beginTurn(turn: Turn): void {
    this.unfinished?.controller.abort();
    this.unfinished = null;
    this.turn = turn;
  }

  /**
   * Show the stored answer in place of the one that this page did not get to its end.
   * @param onlyChanges whether an answer that changed nothing is of no interest
   * @returns whether there is one
   */
  private async catchUp({ controller, question, answerId }: Turn, onlyChanges = false): Promise<boolean> {
    const { conversationId, api } = this;
    const stored = conversationId && (await storedAnswer(api, conversationId, question, controller.signal));
    if (!stored || controller.signal.aborted || (onlyChanges && stored.undo === null)) return false;
    this.update(answerId, { text: stored.text, problem: null, ...offers(stored) });
    this.surroundings.onTodosChanged();
    return true;
  }

  /** Note what the person did by hand. Notes that follow each other become one line. */
  note(sentence: string): void {
    const last = this.entries.at(-1);
    if (last?.role === 'activity') this.entries = this.entries.slice(0, -1);
    const earlier = last?.role === 'activity' ? last.earlier + 1 : 0;
    const place = this.turn ? this.entries.length - 1 : this.entries.length;
    this.entries = this.entries.toSpliced(place, 0, entry('activity', sentence, { earlier }));
    this.announcement = sentence;
    this.publish();
  }

  /** Leave this conversation and begin another. */
  startNew(): void {
    this.stop();
    this.unfinished?.controller.abort();
    this.turn = null;
    this.entries = [];
    this.historyMissing = false;
    this.setConversation(null);
    this.publish();
  }

  /** Go on with an earlier conversation. */
  continueWith(id: string, messages: StoredMessage[]): void {
    if (id === this.conversationId) return;
    this.startNew();
    this.setConversation(id);
    this.entries = messages.map(entryOf);
    this.expectAnswer();
    this.publish();
    void this.resume();
  }

  /** End the running answer; what has come stays. */
  stop(): void {
    this.turn?.controller.abort();
  }

  /**
   * Send a message and show the answer as it comes.
   * @returns null, or why the message was not taken; then it is not in the conversation either
   */
  async send(message: string): Promise<Problem | null> {
    const question = entry('user', message);
    const answer = entry('assistant', '', { streaming: true });
    const turn = { controller: new AbortController(), question: message, answerId: answer.id };
    this.beginTurn(turn);
    this.entries = [...this.entries, question, answer];
    this.publish();
    let response: Response;
    try {
      response = await this.post(message, turn);
    } catch (error) {
      // Whoever has left the conversation meanwhile has no use for a message from it.
      if (this.turn !== turn) return null;
      // By id, since something may have been noted meanwhile.
      this.entries = this.entries.filter(({ id }) => id !== question.id && id !== answer.id);
      this.turn = null;
      this.publish();
      if (isAbort(error)) return new Problem('failed', 'Stopped before the message was taken.');
      return error instanceof Problem ? error : new Problem('failed', 'The message could not be sent.');
    }
    await this.follow(response, turn);
    return null;
  }

  private async post(message: string, turn: Turn): Promise<Response> {
    const { signal } = turn.controller;
    const shown = this.surroundings.shown();
    try {
      return await this.api.send(message, { conversationId: this.conversationId, shown }, signal);
    } catch (error) {
      const forgotten = error instanceof Problem && error.kind === 'gone' && this.conversationId !== null;
      if (!forgotten || this.turn !== turn) throw error;
      this.setConversation(null);
      return this.api.send(message, { conversationId: null, shown }, signal);
    }
  }

  private async follow(response: Response, turn: Turn): Promise<void> {
    let ended = false;
    try {
      for await (const event of chatEvents(response)) {
        if (event.event === 'done') ended = true;
        this.take(event, turn.answerId);
      }
      if (!ended) this.update(turn.answerId, { problem: CUT_OFF });
    } catch (error) {
      this.update(turn.answerId, { problem: isAbort(error) ? STOPPED : CUT_OFF });
    }
    if (!ended) this.surroundings.onTodosChanged();
    this.end(turn);
    if (!ended) void this.learnOutcome(turn);
  }

  /** The backend goes on without us: show what it did all the same, so that it can be undone. */
  private async learnOutcome({ question, answerId }: Turn): Promise<void> {
    const answer = this.entries.find(({ id }) => id === answerId);
    if (!answer || this.turn !== null) return;
    this.unfinished = { controller: new AbortController(), question, answerId };
    await this.catchUp(this.unfinished, answer.problem === STOPPED);
  }

  private end(turn: Turn): void {
    if (this.turn !== turn) return;
    this.turn = null;
    this.update(turn.answerId, { streaming: false });
    this.announcement = this.entries.find(({ id }) => id === turn.answerId)?.text ?? '';
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
        this.update(answerId, offers(event.data));
        if (event.data.todos_changed) this.surroundings.onTodosChanged();
        break;
    }
  }

  /** Take back all that an answer changed. */
  async undo(answerId: string): Promise<void> {
    const offer = this.entries.find(({ id }) => id === answerId)?.undo;
    if (offer?.state !== 'offered') return;
    this.update(answerId, { undo: { ...offer, state: 'running', problem: null } });
    try {
      await this.api.undo(offer.id);
      this.announcement = 'Undone.';
      this.update(answerId, { undo: { ...offer, state: 'done', problem: null } });
      this.surroundings.onTodosChanged();
    } catch (error) {
      const { kind, message } =
        error instanceof Problem ? error : new Problem('failed', 'It could not be undone.');
      const state = kind === 'conflict' || kind === 'gone' ? 'refused' : 'offered';
      const problem = kind === 'gone' ? 'This can no longer be undone.' : message;
      this.update(answerId, { undo: { ...offer, state, problem } });
    }
  }

  /**
   * Get the answer that did not come to its end here, or, when the backend has none, ask again.
   * @returns like `send`
   */
  async retry(answerId: string): Promise<Problem | null> {
    const place = this.entries.findIndex(({ id }) => id === answerId);
    const question = this.entries.slice(0, place).findLast(({ role }) => role === 'user');
    if (this.turn !== null || !question) return null;
    if (UNFINISHED.includes(this.entries[place]?.problem ?? '')) {
      const turn = { controller: new AbortController(), question: question.text, answerId };
      this.beginTurn(turn);
      this.update(answerId, { problem: null, streaming: true });
      const caughtUp = await this.catchUp(turn);
      const left = turn.controller.signal.aborted;
      if (left) this.update(answerId, { problem: STOPPED });
      this.end(turn);
      if (caughtUp || left) return null;
    }
    this.entries = this.entries.filter(({ id }) => id !== answerId && id !== question.id);
    return this.send(question.text);
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
    const { entries, conversationId, assistant, model, announcement } = this;
    return { entries, conversationId, assistant, model, announcement, answering: this.turn !== null };
  }

  private publish(): void {
    this.state = this.snapshot();
    for (const listener of this.listeners) listener();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
