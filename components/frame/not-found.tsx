import { getTranslations } from 'next-intl/server'
import { ButtonLink } from '@/components/ui/button'
import { PageHeader } from '@/components/ui/page-header'

/** What a stranger and somebody without the right see alike. */
export async function NotFound() {
  const say = await getTranslations('states')
  return (
    <>
      <PageHeader title={say('notFoundTitle')} lead={say('notFoundText')} />
      <ButtonLink href="/" variant="secondary">
        {say('notFoundAction')}
      </ButtonLink>
    </>
  )
}
