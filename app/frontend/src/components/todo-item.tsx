'use client';

import { memo, useRef, useState } from 'react';
import type { TodoFields } from '@/client/api';
import { dayInWords } from '@/client/days';
import type { SaveResult } from '@/client/todo-store';
import { quoted, type Todo } from '@/shared/todo';
import { EditTodo } from './edit-todo';
import { CheckIcon, PencilIcon, TrashIcon } from './icons';

export interface TodoActions {
  toggle: (todo: Todo) => void;
  save: (seen: Todo, fields: TodoFields) => Promise<SaveResult>;
  remove: (todo: Todo) => void;
}

/** One todo: its state, what it says, and what can be done with it. */
export const TodoItem = memo(function TodoItem({
  todo,
  today,
  saving,
  actions,
}: {
  todo: Todo;
  today: string | null;
  saving: boolean;
  actions: TodoActions;
}) {
  const [editing, setEditing] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);
  /** The backend does not know it yet, so there is nothing that could be changed. */
  const provisional = todo.version === 0;

  function closeEditor() {
    setEditing(false);
    requestAnimationFrame(() => editButton.current?.focus());
  }

  if (editing) {
    return (
      <li className="todo todo-editing">
        <EditTodo todo={todo} onSave={actions.save} onClose={closeEditor} />
      </li>
    );
  }
  return (
    <li className="todo" data-done={todo.done} data-saving={saving}>
      <label className="todo-main">
        <input
          type="checkbox"
          className="check"
          checked={todo.done}
          disabled={provisional}
          onChange={() => actions.toggle(todo)}
        />
        <span className="check-mark">
          <CheckIcon />
        </span>
        <span className="todo-text">
          <span className="todo-title" dir="auto">
            {todo.title}
          </span>
          <TodoMeta todo={todo} today={today} />
        </span>
      </label>
      <div className="todo-actions">
        <button
          ref={editButton}
          type="button"
          className="icon-button"
          disabled={provisional}
          aria-label={`Edit ${quoted(todo.title)}`}
          title="Edit"
          onClick={() => setEditing(true)}
        >
          <PencilIcon />
        </button>
        <button
          type="button"
          className="icon-button"
          disabled={provisional}
          aria-label={`Delete ${quoted(todo.title)}`}
          title="Delete"
          onClick={() => actions.remove(todo)}
        >
          <TrashIcon />
        </button>
      </div>
    </li>
  );
});

function TodoMeta({ todo, today }: { todo: Todo; today: string | null }) {
  const { priority, tags, due_date: due } = todo;
  if (priority === 'normal' && tags.length === 0 && !due) return null;
  const overdue = !todo.done && due !== null && today !== null && due < today;
  return (
    <span className="todo-meta">
      {priority !== 'normal' && (
        <span className={`priority priority-${priority}`}>{priority === 'high' ? 'High' : 'Low'}</span>
      )}
      {tags.map((tag) => (
        <span key={tag} className="tag" dir="auto">
          {tag}
        </span>
      ))}
      {due && (
        <time className="due" dateTime={due} data-overdue={overdue}>
          {overdue && 'Overdue: '}
          {dayInWords(due, today)}
        </time>
      )}
    </span>
  );
}
