'use client';

import { dueInWords } from '@/client/days';
import type { VisitorClock } from '@/shared/clock';
import type { ParsedTodo } from '@/shared/todo';

/** Whether the words hold more than a title. */
export function saysMore({ due_date, priority, tags, note }: ParsedTodo): boolean {
  return due_date !== null || priority !== 'normal' || tags.length > 0 || note !== null;
}

/** How the words of the Add box were understood, before anything is added. */
export function AddPreview({
  parsed,
  now,
  locale,
  onLiteral,
}: VisitorClock & { parsed: ParsedTodo; onLiteral: () => void }) {
  const { title, due_date, due_time, priority, tags, note } = parsed;
  return (
    <div className="add-preview">
      <p role="status">
        <span className="visually-hidden">Will be added as </span>
        <b dir="auto">{title}</b>
        {due_date && <span> · {dueInWords({ due_date, due_time }, now?.slice(0, 10) ?? null, locale)}</span>}
        {priority !== 'normal' && <span> · {priority === 'high' ? 'High' : 'Low'} priority</span>}
        {tags.map((tag) => (
          <span key={tag} dir="auto">
            {' '}
            #{tag}
          </span>
        ))}
        {note && <span className="add-note">{note}</span>}
      </p>
      <button type="button" className="button button-quiet" onClick={onLiteral}>
        Keep as written
      </button>
    </div>
  );
}
