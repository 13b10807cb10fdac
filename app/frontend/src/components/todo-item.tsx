'use client';

import { type MouseEvent, memo, useId, useRef, useState } from 'react';
import type { TodoFields } from '@/client/api';
import { dueInWords, isOverdue } from '@/client/days';
import type { SaveResult } from '@/client/todo-store';
import type { VisitorClock } from '@/shared/clock';
import { quoted, type Todo } from '@/shared/todo';
import { EditTodo } from './edit-todo';
import { CheckIcon, PencilIcon, TrashIcon } from './icons';
import { Words } from './words';

export interface TodoActions {
  toggle: (todo: Todo) => void;
  save: (seen: Todo, fields: TodoFields) => Promise<SaveResult>;
  remove: (todo: Todo) => void;
  /** Show the todos with a tag. */
  showTag: (tag: string) => void;
}

/** One todo: its state, what it says, and what can be done with it. The circle completes, the title opens the form. */
export const TodoItem = memo(function TodoItem({
  todo,
  now,
  locale,
  saving,
  actions,
}: VisitorClock & {
  todo: Todo;
  saving: boolean;
  actions: TodoActions;
}) {
  const [editing, setEditing] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);
  const titleId = useId();
  /** The backend does not know it yet, so there is nothing that could be changed. */
  const provisional = todo.version === 0;

  function closeEditor() {
    setEditing(false);
    requestAnimationFrame(() => editButton.current?.focus());
  }

  function editOnClick(event: MouseEvent) {
    // A click that ends a selection, or that is for a link, is not meant for the form.
    const selecting = window.getSelection()?.isCollapsed === false;
    if (provisional || selecting || (event.target as HTMLElement).closest('a')) return;
    setEditing(true);
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
      <label className="todo-check">
        <input
          type="checkbox"
          data-control="check"
          className="check"
          aria-labelledby={titleId}
          checked={todo.done}
          disabled={provisional}
          onChange={() => actions.toggle(todo)}
        />
        <span className="check-mark">
          <CheckIcon />
        </span>
      </label>
      <div className="todo-text">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the button “Edit” beside it is for the keyboard */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button “Edit” beside it is for the keyboard */}
        <span className="todo-title" id={titleId} dir="auto" onClick={editOnClick}>
          <Words text={todo.title} />
        </span>
        {todo.notes && (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the button “Edit” beside it is for the keyboard
          <p className="todo-notes" dir="auto" onClick={editOnClick}>
            <Words text={todo.notes} />
          </p>
        )}
        <TodoMeta todo={todo} now={now} locale={locale} onTag={actions.showTag} />
      </div>
      <div className="todo-actions">
        <button
          ref={editButton}
          data-control="edit"
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
          data-control="delete"
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

function TodoMeta({ todo, now, locale, onTag }: VisitorClock & { todo: Todo; onTag: (tag: string) => void }) {
  const { priority, tags } = todo;
  if (priority === 'normal' && tags.length === 0 && !todo.due_date) return null;
  return (
    <div className="todo-meta">
      {priority !== 'normal' && (
        <span className={`priority priority-${priority}`}>{priority === 'high' ? 'High' : 'Low'}</span>
      )}
      <Due todo={todo} now={now} locale={locale} />
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          className="tag"
          dir="auto"
          title={`Show the todos with #${tag}`}
          onClick={() => onTag(tag)}
        >
          #{tag}
        </button>
      ))}
    </div>
  );
}

/** The server's Unicode tables and the browser's may write the same date with another blank. */
function Due({ todo, now, locale }: VisitorClock & { todo: Todo }) {
  const { due_date, due_time } = todo;
  if (!due_date) return null;
  const overdue = !todo.done && isOverdue(todo, now);
  return (
    <time
      className="due"
      dateTime={due_time ? `${due_date}T${due_time}` : due_date}
      data-overdue={overdue}
      suppressHydrationWarning
    >
      {`${overdue ? 'Overdue: ' : ''}${dueInWords({ due_date, due_time }, now?.slice(0, 10) ?? null, locale)}`}
    </time>
  );
}
