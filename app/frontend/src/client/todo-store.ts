import { PAGE_SIZE, quoted, type Todo, type TodoDraft, type TodoPage, type TodoQuery } from '@/shared/todo';
import type { TodoApi, TodoFields } from './api';
import { localDay } from './days';
import { whatChanged } from './differences';
import { type Notice, withNotice } from './notices';
import { asProblem, type Problem } from './problem';
import * as todoList from './todo-list';

/** How many todos the backend gives at once. */
const REQUEST_MAX = 200;

export interface TodoState {
  query: TodoQuery;
  todos: Todo[];
  total: number;
  /** Ids of todos with a change on its way. */
  saving: ReadonlySet<string>;
  loading: boolean;
  /** Why the list could not be loaded, until it can. */
  problem: Problem | null;
  notices: Notice[];
}

/** How saving an edit ended. `conflict` holds the todo as it is now; the person's text is still theirs. */
export type SaveResult = { saved: true } | { saved: false; message: string; conflict: Todo | null };

export interface FirstTodos {
  query: TodoQuery;
  page: TodoPage | null;
  /** Why there is no page, when that is known. */
  problem?: Problem | null;
}

interface Surroundings {
  /** The person made this change, and the backend confirmed it. */
  onActivity?: (sentence: string) => void;
  /** Something was changed that other windows show too. */
  onChanged?: () => void;
  /** The visitor's day. */
  today?: () => string;
}

/** The todo list of one page: what is shown, and the calls behind it. */
export class TodoStore {
  private list: todoList.TodoList;
  private loading: boolean;
  private problem: Problem | null = null;
  private notices: Notice[] = [];
  private state: TodoState;
  private readonly listeners = new Set<() => void>();
  /** Last call of each todo; the next one waits for it, so that each sends the version that the one before made. */
  private readonly queues = new Map<string, Promise<unknown>>();
  /** Grows with each change, so that a list which was asked for before it is not taken for new. */
  private epoch = 0;
  private loadNumber = 0;
  private wanted = PAGE_SIZE;

  constructor(
    private readonly api: TodoApi,
    first: FirstTodos,
    private readonly surroundings: Surroundings = {},
  ) {
    const { items, total } = first.page ?? { items: [], total: 0 };
    this.list = { query: first.query, confirmed: items, total, changes: [] };
    this.problem = first.problem ?? null;
    this.loading = first.page === null && this.problem === null;
    this.state = this.snapshot();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getState = (): TodoState => this.state;

  /** Ids of the todos as the page shows them, without those that the backend does not know yet. */
  shownIds(): string[] {
    return this.state.todos.filter(({ version }) => version > 0).map(({ id }) => id);
  }

  /** Show other todos, from the first page on. */
  setQuery(query: TodoQuery): Promise<void> {
    this.list = { ...this.list, query };
    this.wanted = PAGE_SIZE;
    return this.reload();
  }

  /** Show one page more. The whole list is asked for again, since what changed meanwhile moves the pages. */
  loadMore(): Promise<void> {
    this.wanted += PAGE_SIZE;
    return this.reload();
  }

  /** Ask again for everything that is shown, and say that it is loading. */
  reload(): Promise<void> {
    this.loading = true;
    this.publish();
    return this.refresh();
  }

  /** Ask again for everything that is shown. Changes on their way stay on top of the answer. */
  async refresh(): Promise<void> {
    this.loadNumber += 1;
    const number = this.loadNumber;
    try {
      let page: TodoPage;
      let epoch: number;
      do {
        epoch = this.epoch;
        page = await this.fetchWanted();
        if (number !== this.loadNumber) return;
      } while (epoch !== this.epoch);
      this.list = { ...this.list, confirmed: page.items, total: page.total };
      this.problem = null;
    } catch (error) {
      if (number !== this.loadNumber) return;
      this.problem = asProblem(error);
    }
    this.loading = false;
    this.publish();
    if (this.problem === null) this.repeatWaiting();
  }

  private async fetchWanted(): Promise<TodoPage> {
    const { query } = this.list;
    const items: Todo[] = [];
    let total: number;
    do {
      const limit = Math.min(REQUEST_MAX, this.wanted - items.length);
      const page = await this.api.list(query, limit, items.length);
      if (page.items.length === 0) return { items, total: page.total };
      items.push(...page.items);
      total = page.total;
    } while (items.length < Math.min(this.wanted, total));
    return { items, total };
  }

  /**
   * Add a todo.
   * @param idempotencyKey the same for a second try of the same add
   * @returns null, or why it was not added
   */
  async add(draft: TodoDraft, idempotencyKey: string): Promise<Problem | null> {
    const todo = todoList.provisionalTodo(idempotencyKey, draft);
    try {
      await this.run({ id: idempotencyKey, kind: 'add', todo }, () => this.api.add(draft, idempotencyKey));
      this.tellActivity(`You added ${quoted(draft.title)}.`);
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  /** Complete an open todo or open a completed one. What fails is taken back and said. */
  async toggle(todo: Todo): Promise<void> {
    const done = !todo.done;
    try {
      await this.edit(todo, { done }, (version) =>
        done ? this.api.complete(todo.id) : this.api.change(todo.id, version, { done }),
      );
      this.tellActivity(`You ${done ? 'completed' : 'reopened'} ${quoted(todo.title)}.`);
    } catch (error) {
      this.explain(todo, error, done ? 'completed' : 'reopened', () => this.toggle(todo));
    }
  }

  /**
   * Save what a person wrote into the form of a todo.
   * @param seen the todo as it was when the person began to write; another version in the backend is a conflict
   */
  async save(seen: Todo, fields: TodoFields): Promise<SaveResult> {
    try {
      await this.edit(seen, fields, () => this.api.change(seen.id, seen.version, fields));
      this.tellActivity(`You changed ${quoted(fields.title ?? seen.title)}.`);
      return { saved: true };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.kind === 'gone') this.drop(seen);
      if (problem.current) this.accept(problem.current);
      return { saved: false, message: problem.message, conflict: problem.current };
    }
  }

  /** Delete a todo and offer to bring it back. */
  async remove(todo: Todo): Promise<void> {
    const place = this.list.confirmed.findIndex(({ id }) => id === todo.id);
    try {
      await this.run({ id: crypto.randomUUID(), kind: 'remove', todoId: todo.id }, async () => {
        await this.api.remove(todo.id);
        return null;
      });
      this.tellActivity(`You deleted ${quoted(todo.title)}.`);
      const undo = { label: 'Undo', run: () => void this.restore(todo, Math.max(place, 0)) };
      this.notify({ kind: 'info', text: `Deleted ${quoted(todo.title)}.`, action: undo });
    } catch (error) {
      const again = async () => {
        if (this.confirmed(todo.id)) await this.remove(todo);
      };
      this.explain(todo, error, 'deleted', again);
    }
  }

  /** Bring a deleted todo back as it was, to where it was. */
  private async restore(todo: Todo, place: number): Promise<void> {
    const { query } = this.list;
    try {
      const change = { id: crypto.randomUUID(), kind: 'restore', todo, place } as const;
      await this.run(change, () => this.api.restore(todo.id));
      this.tellActivity(`You brought ${quoted(todo.title)} back.`);
      // In another view it may have another place, or none.
      if (query !== this.list.query) await this.refresh();
    } catch (error) {
      this.explain(todo, error, 'brought back', () => this.restore(todo, place));
    }
  }

  /** Take a notice away. */
  dismiss(noticeId: string): void {
    this.notices = this.notices.filter(({ id }) => id !== noticeId);
    this.publish();
  }

  private edit(todo: Todo, fields: TodoFields, send: (version: number) => Promise<Todo>): Promise<void> {
    const change = { id: crypto.randomUUID(), kind: 'edit', todoId: todo.id, fields } as const;
    return this.run(change, () => send(this.confirmed(todo.id)?.version ?? todo.version));
  }

  private confirmed(todoId: string): Todo | undefined {
    return this.list.confirmed.find(({ id }) => id === todoId);
  }

  /** Show a change at once, send it after the todo's earlier changes, then confirm it or take it back. */
  private async run(change: todoList.Change, send: () => Promise<Todo | null>): Promise<void> {
    const todoId = todoList.todoIdOf(change);
    this.list = todoList.begin(this.list, change);
    this.epoch += 1;
    this.publish();
    const sent = (this.queues.get(todoId) ?? Promise.resolve()).then(send);
    const settled = sent.catch(() => {});
    this.queues.set(todoId, settled);
    try {
      const todo = await sent;
      this.list = todoList.confirm(this.list, change.id, todo);
      this.surroundings.onChanged?.();
    } catch (error) {
      this.list = todoList.rollBack(this.list, change.id);
      // The answer may be what was lost, and not the change.
      if (asProblem(error).isConnection) void this.refresh();
      throw error;
    } finally {
      if (this.queues.get(todoId) === settled) this.queues.delete(todoId);
      this.epoch += 1;
      this.publish();
    }
  }

  /** Say why a change was taken back. What only lacked the connection is done when that is back. */
  private explain(todo: Todo, error: unknown, done: string, again: () => Promise<void>): void {
    const problem = asProblem(error);
    const what = `${quoted(todo.title)} could not be ${done}`;
    if (problem.kind === 'gone') {
      this.drop(todo);
    } else if (problem.current) {
      this.accept(problem.current);
      this.notify({ kind: 'problem', text: `${what}. ${whatChanged(todo, problem.current)}` });
    } else if (problem.isConnection) {
      const reason = problem.message.charAt(0).toLowerCase() + problem.message.slice(1);
      const text = problem.kind === 'offline' ? `${what} yet: ${reason}` : `${what}: ${reason} Retrying…`;
      this.notify({ kind: 'problem', text, whenReachable: () => this.repeat(todo, again) });
    } else {
      this.notify({ kind: 'problem', text: `${what}. ${problem.message}` });
    }
  }

  /** The connection is back: do what waited for it, and take away what was said about it. */
  private repeatWaiting(): void {
    const waiting = this.notices.filter(({ whenReachable }) => whenReachable);
    if (waiting.length === 0) return;
    this.notices = this.notices.filter(({ whenReachable }) => !whenReachable);
    this.publish();
    for (const { whenReachable } of waiting) whenReachable?.();
  }

  /** Unless the todo is another by now: the lost answer may have been that of a success, or somebody else was there. */
  private repeat(todo: Todo, again: () => Promise<void>): void {
    const now = this.confirmed(todo.id);
    if (now === undefined || now.version === todo.version) void again();
  }

  private drop(todo: Todo): void {
    this.list = todoList.forget(this.list, todo.id);
    this.notify({ kind: 'problem', text: `${quoted(todo.title)} was deleted elsewhere.` });
  }

  private accept(current: Todo): void {
    this.list = todoList.replace(this.list, current);
    this.publish();
  }

  /** Tell the person something. */
  notify(notice: Omit<Notice, 'id'>): void {
    this.notices = withNotice(this.notices, notice);
    this.publish();
  }

  private today(): string {
    return this.surroundings.today?.() ?? localDay(new Date());
  }

  private tellActivity(sentence: string): void {
    this.surroundings.onActivity?.(sentence);
  }

  private snapshot(): TodoState {
    return {
      query: this.list.query,
      todos: todoList.shownTodos(this.list),
      total: todoList.shownTotal(this.list, this.today()),
      saving: new Set(this.list.changes.map(todoList.todoIdOf)),
      loading: this.loading,
      problem: this.problem,
      notices: this.notices,
    };
  }

  private publish(): void {
    this.state = this.snapshot();
    for (const listener of this.listeners) listener();
  }
}
