-- Words about refunds and disputes name the vendor's charge, not its page: they are found by our own id.
SET lock_timeout = '5s';

CREATE INDEX "webhook_messages_payment_id_idx" ON "webhook_messages"("payment_id");
