-- Payments: fences, and the one function that credits.
SET lock_timeout = '5s';

ALTER TABLE payments
  ADD CONSTRAINT requested_is_positive CHECK (requested_micros > 0),
  ADD CONSTRAINT credited_has_amount CHECK ((credited_micros IS NOT NULL) = (credited_at IS NOT NULL)),
  ADD CONSTRAINT credited_is_positive CHECK (credited_micros > 0);

-- Credits a payment, once for ever: the ledger's key is the payment's id, and the payment row is locked.
-- Outcome: 'credited' | 'already_credited' | 'not_found'. Everything it promises is written in the same call: the receipt mail, the
-- timeline, the audit entry and the announcement (orders that waited for the money).
CREATE FUNCTION credit_payment(p_payment_id text, p_provider_payment_id text, p_received bigint, p_credit bigint, p_happened_at timestamptz,
  OUT outcome text, OUT balance_micros bigint) LANGUAGE plpgsql AS $$
DECLARE v_payment payments; v_posted record;
BEGIN
  SELECT * INTO v_payment FROM payments p WHERE p.id = p_payment_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_payment.credited_at IS NOT NULL THEN outcome := 'already_credited'; RETURN; END IF;
  SELECT * INTO v_posted FROM ledger_post('top_up:' || p_payment_id, ledger_account('shop', 'provider_clearing:' || v_payment.provider, v_payment.currency),
    ledger_account(v_payment.user_id, 'customer_balance', v_payment.currency), p_credit, v_payment.currency, 'payment', p_payment_id, NULL, p_happened_at);
  IF v_posted.outcome <> 'posted' THEN RAISE EXCEPTION 'credit of % was %', p_payment_id, v_posted.outcome; END IF;
  balance_micros := v_posted.to_balance;
  UPDATE payments SET state = 'credited', provider_payment_id = coalesce(provider_payment_id, p_provider_payment_id), received_micros = p_received,
    credited_micros = p_credit, credited_at = p_happened_at, next_check_at = NULL WHERE id = p_payment_id;
  INSERT INTO payment_events (payment_id, kind, data) VALUES (p_payment_id, 'credited', jsonb_build_object('creditedMicros', p_credit::text, 'receivedMicros', p_received::text));
  INSERT INTO audit_entries (id, actor_kind, action, subject_kind, subject_id, data)
  VALUES (new_id('aud'), 'system', 'payments.credited', 'payment', p_payment_id, jsonb_build_object('creditedMicros', p_credit::text, 'currency', v_payment.currency));
  PERFORM queue_user_email('receipt:' || p_payment_id, v_payment.user_id, 'top_up_receipt', jsonb_build_object(
    'paymentId', p_payment_id, 'creditedMicros', p_credit::text, 'requestedMicros', v_payment.requested_micros::text, 'balanceMicros', balance_micros::text,
    'currency', v_payment.currency, 'provider', v_payment.provider));
  INSERT INTO outbox_jobs (name, payload) VALUES ('orders.finish_intents', jsonb_build_object('userId', v_payment.user_id));
  outcome := 'credited';
END $$;
