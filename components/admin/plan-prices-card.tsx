import { getTranslations } from 'next-intl/server'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { findPriceRule, listPlannedChanges } from '@/lib/prices'

/** On a plan's page: whether its prices are about to change or follow a rule, and the way to decide that. */
export async function PlanPricesCard({ planId }: { planId: string }) {
  const [say, changes, rule] = await Promise.all([
    getTranslations('prices'),
    listPlannedChanges({ planId }),
    findPriceRule({ planId }),
  ])
  return (
    <Card
      title={say('title')}
      lead={rule?.isActive ? say('ruleOverrides') : say('plannedCount', { count: changes.length })}
      action={
        <ButtonLink href={`/admin/catalogue/plans/${planId}/prices`} size="sm" variant="secondary">
          {say('linkFromPlan')}
        </ButtonLink>
      }
    />
  )
}
