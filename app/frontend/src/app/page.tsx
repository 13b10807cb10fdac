import { Workspace } from '@/components/workspace';
import { firstData } from '@/server/first-data';

export const dynamic = 'force-dynamic';

/** The one page, rendered at request time with what the backend holds now. */
export default async function Page() {
  return <Workspace first={await firstData()} />;
}
