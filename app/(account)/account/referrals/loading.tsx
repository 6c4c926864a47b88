import { getTranslations } from 'next-intl/server'
import { PageSkeleton } from '@/components/ui/skeleton'

export default async function Loading() {
  return <PageSkeleton label={(await getTranslations('states'))('loading')} />
}
