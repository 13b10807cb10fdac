import { expect, test } from 'vitest';
import { call, Problem } from '@/client/api';
import { dayInWords, localDay } from '@/client/days';
import { tagsFrom, tagsProblem } from '@/client/tags';
import { retryDelay } from '@/client/use-connection';
import { isId } from '@/shared/chat';
import { FIRST_QUERY, todosPath } from '@/shared/todo';

test.each([
  ['2026-11-23', 'Today'],
  ['2026-11-24', 'Tomorrow'],
  ['2026-11-22', 'Yesterday'],
  ['2026-12-03', 'Thu 3 Dec'],
  ['2028-02-29', '29 Feb 2028'],
])('%s is %s', (day, words) => {
  expect(dayInWords(day, '2026-11-23').replace(',', '')).toBe(words);
});

test('a day is written in full while the visitor’s own day is not known', () => {
  expect(dayInWords('2026-11-24', null)).toBe('24 Nov 2026');
});

test('the visitor’s day is the local one', () => {
  expect(localDay(new Date(2026, 0, 5, 23, 59))).toBe('2026-01-05');
});

test('tags are split at commas and spaces, in lower case, each once', () => {
  expect(tagsFrom(' Home, errands  #home,,')).toEqual(['home', 'errands']);
  expect(tagsProblem(tagsFrom('a b c d e f g h i j'))).toBeNull();
  expect(tagsProblem(tagsFrom('a b c d e f g h i j k'))).toMatch(/at most 10/);
  expect(tagsProblem(['x'.repeat(41)])).toMatch(/40 characters/);
});

test('waits grow from 2 to 30 seconds', () => {
  expect([1, 2, 3, 4, 5, 9].map(retryDelay)).toEqual([2000, 4000, 8000, 16000, 30000, 30000]);
});

test('a list’s path carries the query, encoded', () => {
  expect(todosPath({ ...FIRST_QUERY, q: 'a&b=ü' }, 50)).toContain('q=a%26b%3D%C3%BC');
});

test('only ids become part of a path', () => {
  expect(isId('11111111-1111-4111-8111-111111111111')).toBe(true);
  expect(isId('../todos')).toBe(false);
  expect(isId(undefined)).toBe(false);
});

const answer = (status: number, body: unknown) => async () => Response.json(body, { status });

test.each([
  [401, { detail: 'x' }, 'refused-token', /token/],
  [404, { detail: 'There is none.' }, 'gone', /There is none/],
  [413, {}, 'invalid', /too long/],
  [
    422,
    { detail: [{ loc: ['body', 'title'], msg: 'must not be empty' }] },
    'invalid',
    /title: must not be empty/,
  ],
  [502, { detail: 'Out of reach.' }, 'unreachable', /Out of reach/],
  [503, '<html>', 'unreachable', /cannot be reached/],
  [500, {}, 'failed', /500/],
])('status %i with %j is %s', async (status, body, kind, message) => {
  const problem = await call('/api/todos', {}, answer(status, body)).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ kind, message: expect.stringMatching(message) });
});

test('a call that gets no answer is a connection problem', async () => {
  const lost = async () => Promise.reject(new TypeError('Failed to fetch'));
  const problem = (await call('/api/todos', {}, lost).catch((error: unknown) => error)) as Problem;
  expect(problem.isConnection).toBe(true);
});
