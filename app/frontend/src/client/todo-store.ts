import { PAGE_SIZE, quoted, type Todo, type TodoDraft, type TodoPage, type TodoQuery } from '@/shared/todo';
import { Problem, type TodoApi, type TodoFields } from './api';
import * as todoList from './todo-list';

/** How many todos the backend gives at once. */
const REQUEST_MAX = 200;

/** Something to tell the person, with one thing to do about it at most. */
export interface Notice {
  id: string;
  kind: 'info' | 'problem';
  text: string;
  action?: { label: string; run: () => void };
}

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

/**
 * The todo list of one page: what is shown, and the calls behind it.
 * @param onActivity called with a sentence for each change that the person made and the backend confirmed
 */
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
    private readonly onActivity: (sentence: string) => void = () => {},
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
  }

  private async fetchWanted(): Promise<TodoPage> {
    const { query } = this.list;
    const items: Todo[] = [];
    let total: number;
    do {
      const page = await this.api.list(
        query,
        Math.min(REQUEST_MAX, this.wanted - items.length),
        items.length,
      );
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
    const change: todoList.Change = {
      id: idempotencyKey,
      kind: 'add',
      todo: todoList.provisionalTodo(idempotencyKey, draft),
    };
    try {
      await this.run(change, () => this.api.add(draft, idempotencyKey));
      this.onActivity(`You added ${quoted(draft.title)}.`);
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  /** Complete an open todo or open a completed one. What fails is taken back and said. */
  async toggle(todo: Todo): Promise<void> {
    const done = !todo.done;
    try {
      await this.edit(todo.id, { done }, (version) =>
        done ? this.api.complete(todo.id) : this.api.change(todo.id, version, { done }),
      );
      this.onActivity(`You ${done ? 'completed' : 'reopened'} ${quoted(todo.title)}.`);
    } catch (error) {
      this.explain(todo, error, `${quoted(todo.title)} could not be ${done ? 'completed' : 'reopened'}.`);
    }
  }

  /**
   * Save what a person wrote into the form of a todo.
   * @param seen the todo as it was when the person began to write; another version in the backend is a conflict
   */
  async save(seen: Todo, fields: TodoFields): Promise<SaveResult> {
    try {
      await this.edit(seen.id, fields, () => this.api.change(seen.id, seen.version, fields));
      this.onActivity(`You changed ${quoted(fields.title ?? seen.title)}.`);
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
    try {
      await this.run({ id: crypto.randomUUID(), kind: 'remove', todoId: todo.id }, async () => {
        await this.api.remove(todo.id);
        return null;
      });
      this.onActivity(`You deleted ${quoted(todo.title)}.`);
      this.notify('info', `Deleted ${quoted(todo.title)}.`, {
        label: 'Undo',
        run: () => void this.restore(todo),
      });
    } catch (error) {
      this.explain(todo, error, `${quoted(todo.title)} could not be deleted.`);
    }
  }

  /** Add a deleted todo anew. A second try uses the same key, so that it comes back once. */
  private async restore(todo: Todo, key = crypto.randomUUID()): Promise<void> {
    const { title, due_date, priority, tags } = todo;
    try {
      await this.run({ id: key, kind: 'add', todo: { ...todo, id: key } }, async () => {
        const added = await this.api.add({ title, due_date, priority, tags }, key);
        return todo.done ? this.api.complete(added.id) : added;
      });
      this.onActivity(`You brought ${quoted(title)} back.`);
    } catch (error) {
      const retry = { label: 'Try again', run: () => void this.restore(todo, key) };
      this.notify(
        'problem',
        `${quoted(title)} could not be brought back. ${asProblem(error).message}`,
        retry,
      );
    }
  }

  /** Take a notice away. */
  dismiss(noticeId: string): void {
    this.notices = this.notices.filter(({ id }) => id !== noticeId);
    this.publish();
  }

  private edit(todoId: string, fields: TodoFields, send: (version: number) => Promise<Todo>): Promise<void> {
    const change: todoList.Change = { id: crypto.randomUUID(), kind: 'edit', todoId, fields };
    return this.run(change, () => send(this.versionOf(todoId)));
  }

  private versionOf(todoId: string): number {
    return this.list.confirmed.find(({ id }) => id === todoId)?.version ?? 0;
  }

  /** Show a change at once, send it after the todo's earlier changes, then confirm it or take it back. */
  private async run(change: todoList.Change, send: () => Promise<Todo | null>): Promise<void> {
    const todoId = change.kind === 'add' ? change.id : change.todoId;
    this.list = todoList.begin(this.list, change);
    this.epoch += 1;
    this.publish();
    const sent = (this.queues.get(todoId) ?? Promise.resolve()).then(send);
    const settled = sent.catch(() => {});
    this.queues.set(todoId, settled);
    try {
      const todo = await sent;
      this.list = todoList.confirm(this.list, change.id, todo);
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

  private explain(todo: Todo, error: unknown, sentence: string): void {
    const problem = asProblem(error);
    if (problem.kind === 'gone') {
      this.drop(todo);
    } else if (problem.current) {
      this.accept(problem.current);
      this.notify('problem', `${sentence} ${whatChanged(todo, problem.current)}`);
    } else {
      this.notify('problem', `${sentence} ${problem.message}`);
    }
  }

  private drop(todo: Todo): void {
    this.list = todoList.forget(this.list, todo.id);
    this.notify('problem', `${quoted(todo.title)} was deleted elsewhere.`);
  }

  private accept(current: Todo): void {
    this.list = todoList.replace(this.list, current);
    this.publish();
  }

  private notify(kind: Notice['kind'], text: string, action?: NonNullable<Notice['action']>): void {
    this.notices = [
      ...this.notices.slice(-2),
      { id: crypto.randomUUID(), kind, text, ...(action && { action }) },
    ];
    this.publish();
  }

  private snapshot(): TodoState {
    return {
      query: this.list.query,
      todos: todoList.shownTodos(this.list),
      total: todoList.shownTotal(this.list),
      saving: new Set(this.list.changes.map((change) => (change.kind === 'add' ? change.id : change.todoId))),
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

function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('failed', 'Something went wrong on this page.');
}

const FIELD_NAMES = {
  title: 'title',
  due_date: 'due date',
  priority: 'priority',
  tags: 'tags',
  done: 'state',
} as const;

export interface FieldDifference {
  field: keyof typeof FIELD_NAMES;
  label: string;
  before: string;
  now: string;
}

/** What differs between two versions of a todo, in the words of the page. */
export function differences(before: Todo, now: Todo): FieldDifference[] {
  const fields = Object.keys(FIELD_NAMES) as (keyof typeof FIELD_NAMES)[];
  return fields
    .map((field) => ({
      field,
      label: FIELD_NAMES[field],
      before: inWords(before, field),
      now: inWords(now, field),
    }))
    .filter((difference) => difference.before !== difference.now);
}

function inWords(todo: Todo, field: keyof typeof FIELD_NAMES): string {
  if (field === 'done') return todo.done ? 'done' : 'open';
  if (field === 'tags') return todo.tags.join(', ') || 'none';
  return todo[field] ?? 'none';
}

function whatChanged(before: Todo, now: Todo): string {
  const changed = differences(before, now).map((d) => `${d.label} is now ${quoted(d.now)}`);
  return changed.length > 0
    ? `It was changed elsewhere: ${changed.join(', ')}.`
    : 'It was changed elsewhere.';
}
