import Link from 'next/link'
import { shortId } from '@/components/ui/short-id'

/** Whose something is, by name, with the way to them. Somebody erased has no name any more. */
export function CustomerLink({ userId, names }: { userId: string; names: Map<string, string> }) {
  return (
    <Link href={`/admin/customers/${userId}`} className="text-accent underline">
      {names.get(userId) ?? shortId(userId)}
    </Link>
  )
}

/** An id short enough for a table, as a link to its page. */
export function IdLink({ href, id }: { href: string; id: string }) {
  return (
    <Link href={href} className="font-mono text-accent underline">
      {shortId(id)}
    </Link>
  )
}
