import { Workspace } from '@/components/workspace';
import { firstData, type SearchParams } from '@/server/first-data';

export const dynamic = 'force-dynamic';

/** The one page, rendered at request time with what the backend holds now. */
export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  return <Workspace first={await firstData(await searchParams)} />;
}
