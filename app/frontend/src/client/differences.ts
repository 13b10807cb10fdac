import { quoted, type Todo } from '@/shared/todo';

const FIELD_NAMES = {
  title: 'title',
  due_date: 'due date',
  due_time: 'time',
  priority: 'priority',
  tags: 'tags',
  notes: 'notes',
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
  return todo[field] || 'none';
}

/** A sentence about what somebody else changed. */
export function whatChanged(before: Todo, now: Todo): string {
  const changed = differences(before, now).map((d) => `${d.label} is now ${quoted(d.now)}`);
  return changed.length > 0
    ? `It was changed elsewhere: ${changed.join(', ')}.`
    : 'It was changed elsewhere.';
}
