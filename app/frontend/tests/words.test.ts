import { expect, test, vi } from 'vitest';
import { call, chatApi, parseTodo, postWithZone } from '@/client/api';
import { dateFormat, dayInWords, dueInWords, hourCycle, isOverdue, localDay } from '@/client/days';
import { detailInWords, Problem } from '@/client/problem';
import { tagsFrom, tagsProblem } from '@/client/tags';
import { retryDelay } from '@/client/use-connection';
import { addressOf, FIRST_PLACE, placeFrom } from '@/shared/address';
import { isId } from '@/shared/chat';
import { clockIn, localeFrom } from '@/shared/clock';
import { textParts } from '@/shared/text-parts';
import { FIRST_QUERY, todosPath, withView } from '@/shared/todo';

test.each([
  ['2026-11-23', 'Today'],
  ['2026-11-24', 'Tomorrow'],
  ['2026-11-22', 'Yesterday'],
  ['2026-12-03', 'Thu 3 Dec'],
  ['2028-02-29', '29 Feb 2028'],
])('%s is %s', (day, words) => {
  expect(dayInWords(day, '2026-11-23', 'en-GB').replace(',', '')).toBe(words);
});

test('a day is written in full while the visitor’s own day is not known', () => {
  expect(dayInWords('2026-11-24', null, 'en-GB')).toBe('24 Nov 2026');
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
  expect(todosPath({ ...FIRST_QUERY, q: 'a&b=ü' }, 50, 0, '')).toContain('q=a%26b%3D%C3%BC');
});

test('only ids become part of a path', () => {
  expect(isId('11111111-1111-4111-8111-111111111111')).toBe(true);
  expect(isId('../todos')).toBe(false);
  expect(isId(undefined)).toBe(false);
});

const answer = (status: number, body: unknown) => async () => Response.json(body, { status });

test.each([
  [401, { detail: 'x' }, 'refused-token', /token/],
  [404, { detail: 'there is no todo with this id' }, 'gone', /no longer exists/],
  [413, {}, 'invalid', /too long/],
  [
    422,
    { detail: [{ loc: ['body', 'title'], msg: 'must not be empty' }] },
    'invalid',
    /The title must not be empty\./,
  ],
  [502, { detail: 'Out of reach.' }, 'unreachable', /todo service is not reachable/],
  [
    503,
    { detail: 'the database does not answer: connect' },
    'unreachable',
    /^The database is not reachable\.$/,
  ],
  [504, '<html>', 'unreachable', /does not answer/],
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

test.each([
  ['en-US', 'Thu, Dec 3, 5:00 PM'],
  ['en-GB', 'Thu 3 Dec, 17:00'],
  ['de-DE', 'Do., 3. Dez., 17:00'],
])('a date and its time are written as the visitor in %s does', (locale, words) => {
  const written = dueInWords({ due_date: '2026-12-03', due_time: '17:00' }, '2026-11-23', locale);
  expect(written.replace(/[\u202f\u00a0]/g, ' ').replace('Thu, 3', 'Thu 3')).toBe(words);
});

test('a day is overdue when it is over, a time when it has passed', () => {
  const now = '2026-11-23T12:00';
  expect(isOverdue({ due_date: '2026-11-23', due_time: null }, now)).toBe(false);
  expect(isOverdue({ due_date: '2026-11-22', due_time: '23:00' }, now)).toBe(true);
  expect(isOverdue({ due_date: '2026-11-23', due_time: '11:59' }, now)).toBe(true);
  expect(isOverdue({ due_date: '2026-11-23', due_time: '12:00' }, now)).toBe(false);
  expect(isOverdue({ due_date: null, due_time: null }, now)).toBe(false);
});

test('the server knows the visitor’s day by their time zone, past midnight and before it', () => {
  const now = new Date('2026-11-23T23:30:00Z');
  expect(clockIn('Europe/Berlin', now)).toBe('2026-11-24T00:30');
  expect(clockIn('America/New_York', now)).toBe('2026-11-23T18:30');
  expect(clockIn('Mars/Olympus', now)).toBeNull();
  expect(clockIn('"><script>', now)).toBeNull();
});

test.each([
  ['de-CH,de;q=0.9', 'de-CH'],
  ['*', 'en-GB'],
  ['', 'en-GB'],
  ['not a language', 'en-GB'],
])('of the languages %j dates are written in %s', (header, locale) => {
  expect(localeFrom(header)).toBe(locale);
});

test('the views are asked for by the visitor’s day', () => {
  const path = (view: 'today' | 'upcoming' | 'all') =>
    todosPath({ ...FIRST_QUERY, view }, 50, 0, '2026-12-31');
  expect(path('today')).toMatch(/state=open&.*due_until=2026-12-31/);
  expect(path('upcoming')).toMatch(/state=open&.*due_from=2027-01-01/);
  expect(path('all')).toMatch(/state=all&(?!.*due_)/);
});

test.each([
  '/',
  '/?view=today',
  '/?view=done&sort=title&q=a%26b+%23c',
  '/?view=upcoming&pane=chat',
  '/?pane=chats',
])('the address %s says where the visitor is, and is found again', (address) => {
  expect(addressOf(placeFrom(new URLSearchParams(address.slice(2))))).toBe(address);
});

test('an address with what nobody knows leads to the first place', () => {
  expect(placeFrom(new URLSearchParams('view=x&sort=;drop&pane=%00&utm=1'))).toEqual(FIRST_PLACE);
  expect(placeFrom(new URLSearchParams({ q: 'x'.repeat(999) })).query.q).toHaveLength(200);
});

test('plans are sorted by date unless the person chose an order', () => {
  const today = withView(FIRST_QUERY, 'today');
  expect(today.sort).toBe('due');
  expect(withView(today, 'open').sort).toBe('created');
  expect(withView({ ...FIRST_QUERY, sort: 'title' }, 'today').sort).toBe('title');
});

test.each([
  ['see https://a.example/x?y=1, then go', ['see ', 'https://a.example/x?y=1', ', then go']],
  ['(https://a.example/b_(c))', ['(', 'https://a.example/b_(c)', ')']],
  ['javascript:alert(1) http:// ftp://x', ['javascript:alert(1) http:// ftp://x']],
  ['a\u202eb', ['a', '\u202e', 'b']],
])('%j is divided into its parts', (text, parts) => {
  expect(textParts(text).map((part) => part.text)).toEqual(parts);
});

test.each([
  [
    [{ loc: ['body', 'tags', 0], msg: 'String should have at most 40 characters' }],
    'A tag should have at most 40 characters.',
  ],
  [
    [{ loc: ['body', 'due_date'], msg: 'Value error, must be a date like 2026-01-31' }],
    'The due date must be a date like 2026-01-31.',
  ],
  [
    [{ loc: ['body', 'title'], msg: "String should match pattern '^[x]$'" }],
    'The title has characters that cannot be kept.',
  ],
  [[{ loc: ['body'], msg: 'Value error, nothing to change' }], 'Nothing to change.'],
  [{ x: 1 }, null],
])('what the backend says of %j is said as a person would', (detail, words) => {
  expect(detailInWords(detail)).toBe(words);
});

test('a time zone that the backend does not know is left out', async () => {
  const zones: unknown[] = [];
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    const { time_zone } = JSON.parse(String(init.body));
    zones.push(time_zone);
    if (time_zone === null) return Response.json({});
    const detail = [{ loc: ['body', 'time_zone'], msg: 'Value error, must be the name of a time zone' }];
    return Response.json({ detail }, { status: 422 });
  });
  await postWithZone('/api/parse', { text: 'x' });
  expect(zones).toEqual([Intl.DateTimeFormat().resolvedOptions().timeZone, null]);
  vi.unstubAllGlobals();
});

test.each([
  ['en-US', 'h12'],
  ['ja-JP-u-hc-h11', 'h12'],
  ['en-GB', 'h23'],
  ['de', 'h23'],
  ['de-u-hc-h24', 'h23'],
])('a clock in %s counts as %s', (locale, cycle) => {
  expect(hourCycle(locale)).toBe(cycle);
});

test.each(['en-US', 'en-GB', 'en-AU', 'en-CA'])('an answer writes a day as the rows do in %s', (locale) => {
  const answered = dateFormat(locale).replace('d', '25').replace('EEE', 'Wed').replace('MMM', 'Nov');
  expect(answered).toBe(dayInWords('2026-11-25', '2026-11-20', locale));
});

test.each([
  ['en-US', 'EEE, MMM d'],
  ['de', 'EEE, d MMM'],
  ['fr', 'EEE d MMM'],
  ['ja', 'EEE, MMM d'],
])('the order of a day in %s is %s', (locale, pattern) => {
  expect(dateFormat(locale)).toBe(pattern);
});

test.each([
  ['en-US', 'EEE, MMM d'],
  ['fr', 'EEE d MMM'],
])('a message and the words of the Add box say how a day is written in %s', async (locale, pattern) => {
  vi.stubGlobal('navigator', { language: locale });
  const sent: unknown[] = [];
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)).date_format);
    return new Response('{}');
  });
  const { signal } = new AbortController();
  await chatApi.send('hi', { conversationId: null, shown: [] }, signal);
  await parseTodo('water plants', signal);
  expect(sent).toEqual([pattern, pattern]);
  vi.unstubAllGlobals();
});

test.each(['en-US', 'de-DE'])("a message says how the visitor's clock counts in %s", async (locale) => {
  vi.stubGlobal('navigator', { language: locale });
  const sent: unknown[] = [];
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)).hour_cycle);
    return new Response();
  });
  await chatApi.send('hi', { conversationId: null, shown: [] }, new AbortController().signal);
  expect(sent).toEqual([locale === 'en-US' ? 'h12' : 'h23']);
  vi.unstubAllGlobals();
});

test('the marks that hold a title apart in a sentence of ours are not shown, those inside the title are', () => {
  const kinds = (ours: boolean) => textParts('“\u2068a\u202eb\u2069”', ours).map(({ kind }) => kind);
  expect(kinds(true)).toEqual(['text', 'control', 'text']);
  expect(kinds(false)).toEqual(['text', 'control', 'text', 'control', 'text', 'control', 'text']);
});
