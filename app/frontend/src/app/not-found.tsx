import Link from 'next/link';
import { connection } from 'next/server';

/** Rendered at request time, since a page made by the build has no nonce for its scripts. */
export default async function NotFound() {
  await connection();
  return (
    <main className="plain-page">
      <h1>There is no such page</h1>
      <p>
        <Link href="/">Go to your todos</Link>
      </p>
    </main>
  );
}
