import { getTranslations } from 'next-intl/server'
import { buttonStyles } from '@/components/ui/button-styles'

/** Downloads a paper. A plain link, because an address that answers a file is no page to go to. */
export async function PaperLink({ href, kind }: { href: string; kind: 'receipt' | 'invoice' }) {
  const say = await getTranslations('papers')
  return (
    <a href={href} download className={buttonStyles({ variant: 'secondary', size: 'sm' })}>
      {say(`${kind}Button`)}
    </a>
  )
}
