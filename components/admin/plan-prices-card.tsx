import { getTranslations } from 'next-intl/server'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { listPlannedChanges } from '@/lib/prices'

/** On a plan's page: whether its prices are about to change, and the way to decide that. */
export async function PlanPricesCard({ planId }: { planId: string }) {
  const [say, changes] = await Promise.all([getTranslations('prices'), listPlannedChanges({ planId })])
  return (
    <Card
      title={say('title')}
      lead={say('plannedCount', { count: changes.length })}
      action={
        <ButtonLink href={`/admin/catalogue/plans/${planId}/prices`} size="sm" variant="secondary">
          {say('linkFromPlan')}
        </ButtonLink>
      }
    />
  )
}
