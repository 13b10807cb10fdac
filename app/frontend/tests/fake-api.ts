import type { TodoApi } from '@/client/api';
import { Problem } from '@/client/problem';
import { belongsTo, type Todo, type TodoDraft } from '@/shared/todo';

/** A todo with an id that tells its number. */
export function todo(number: number, fields: Partial<Todo> = {}): Todo {
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    title: `Todo ${number}`,
    due_date: null,
    due_time: null,
    priority: 'normal',
    tags: [],
    notes: '',
    done: false,
    version: 1,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    completed_at: null,
    ...fields,
  };
}

export function draft(title: string): TodoDraft {
  return { title, due_date: null, due_time: null, priority: 'normal', tags: [], notes: '' };
}

/** The visitor's day in these tests. */
export const TODAY = '2026-11-23';

/**
 * The contract of the todo API, in memory: versions grow, a stale one is a conflict, a key adds once.
 * `hold` keeps the answers back until `release`; `failNext` loses one call before or after it took effect.
 */
export class FakeApi implements TodoApi {
  readonly calls: string[] = [];
  private readonly keys = new Map<string, Todo>();
  private readonly deleted = new Map<string, { todo: Todo; place: number }>();
  private failure: { problem: Problem; afterEffect: boolean } | null = null;
  private gate: Promise<void> = Promise.resolve();
  private open = () => {};

  constructor(public todos: Todo[] = []) {}

  hold(): void {
    this.gate = new Promise((open) => {
      this.open = open;
    });
  }

  release(): void {
    this.open();
    this.gate = Promise.resolve();
  }

  failNext(problem: Problem, afterEffect = false): void {
    this.failure = { problem, afterEffect };
  }

  private async answer<T>(name: string, effect: () => T): Promise<T> {
    this.calls.push(name);
    const { failure } = this;
    this.failure = null;
    await this.gate;
    if (failure && !failure.afterEffect) throw failure.problem;
    const result = effect();
    if (failure) throw failure.problem;
    return result;
  }

  list: TodoApi['list'] = (query, limit, offset) =>
    this.answer('list', () => {
      const found = this.todos.filter(
        (known) => belongsTo(known, query.view, TODAY) && known.title.includes(query.q),
      );
      return { items: found.slice(offset, offset + limit), total: found.length };
    });

  add: TodoApi['add'] = (fields, key) =>
    this.answer('add', () => {
      const known = this.keys.get(key);
      if (known) return known;
      const added = todo(1000 + this.keys.size, fields);
      this.keys.set(key, added);
      this.todos = [added, ...this.todos];
      return added;
    });

  change: TodoApi['change'] = (id, version, fields) =>
    this.answer(`change ${version}`, () => {
      const current = this.find(id);
      if (current.version !== version) throw new Problem('conflict', 'It was changed elsewhere.', current);
      return this.put({ ...current, ...fields, version: version + 1 });
    });

  complete: TodoApi['complete'] = (id) =>
    this.answer('complete', () => {
      const current = this.find(id);
      return current.done ? current : this.put({ ...current, done: true, version: current.version + 1 });
    });

  remove: TodoApi['remove'] = (id) =>
    this.answer('remove', () => {
      const found = this.find(id);
      this.deleted.set(id, { todo: found, place: this.todos.indexOf(found) });
      this.todos = this.todos.filter((known) => known.id !== id);
    });

  restore: TodoApi['restore'] = (id) =>
    this.answer('restore', () => {
      const kept = this.deleted.get(id);
      if (!kept) throw new Problem('gone', 'It no longer exists.');
      this.todos = this.todos.toSpliced(kept.place, 0, kept.todo);
      return kept.todo;
    });

  /** Change a todo as another browser would. */
  changeElsewhere(id: string, fields: Partial<Todo>): void {
    const current = this.find(id);
    this.put({ ...current, ...fields, version: current.version + 1 });
  }

  private find(id: string): Todo {
    const found = this.todos.find((known) => known.id === id);
    if (!found) throw new Problem('gone', 'It no longer exists.');
    return found;
  }

  private put(changed: Todo): Todo {
    this.todos = this.todos.map((known) => (known.id === changed.id ? changed : known));
    return changed;
  }
}
