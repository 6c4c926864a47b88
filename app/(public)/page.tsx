import { getTranslations } from 'next-intl/server'
import { ButtonLink } from '@/components/ui/button'

export default async function HomePage() {
  const say = await getTranslations('home')
  return (
    <div className="max-w-2xl py-8">
      <h1 className="text-2xl font-semibold tracking-tight max-sm:text-xl">{say('title')}</h1>
      <p className="mt-4 text-lg text-muted">{say('lead')}</p>
      <ButtonLink href="/sign-up" size="lg" className="mt-8">
        {say('start')}
      </ButtonLink>
    </div>
  )
}
