-- As before, and: proxies that were left out of a renewal are tried again, as those of a renewal that failed are.
CREATE OR REPLACE FUNCTION end_renewal(p_renewal_id text, p_renewed jsonb, p_stock_suppliers text[], p_failure text, p_retry_at timestamptz,
  OUT outcome text, OUT renewed int) LANGUAGE plpgsql AS $$
DECLARE v_renewal renewals; v_order orders; v_now timestamptz := clock_timestamp(); v_settled record; v_part int;
BEGIN
  SELECT o.* INTO v_order FROM orders o JOIN renewals r ON r.order_id = o.id WHERE r.id = p_renewal_id FOR NO KEY UPDATE OF o;
  SELECT * INTO v_renewal FROM renewals r WHERE r.id = p_renewal_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF v_renewal.state <> 'held' THEN outcome := 'already_ended'; RETURN; END IF;

  UPDATE allocations a SET expires_at = greatest(x."expiresAt", a.expires_at), supplier_ref = coalesce(x."supplierRef", a.supplier_ref),
    state = 'active', grace_until = NULL
  FROM jsonb_to_recordset(p_renewed) AS x(id text, "expiresAt" timestamptz, "supplierRef" text)
  WHERE a.id = x.id AND a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND x."expiresAt" > v_now;
  GET DIAGNOSTICS renewed = ROW_COUNT;
  UPDATE allocations a SET expires_at = renewed_until(a.expires_at, v_renewal.period_days), state = 'active', grace_until = NULL
  FROM offers f WHERE a.id = ANY (v_renewal.allocation_ids) AND a.state IN ('active', 'in_grace', 'expired') AND f.id = a.offer_id AND f.supplier = ANY (p_stock_suppliers);
  GET DIAGNOSTICS v_part = ROW_COUNT;
  renewed := renewed + v_part;

  SELECT * INTO v_settled FROM ledger_settle_hold(p_renewal_id, v_renewal.total_micros * renewed / v_renewal.quantity, 'revenue:' || v_order.product_kind, 'order', v_now);
  IF v_settled.outcome <> 'settled' THEN RAISE EXCEPTION 'hold of % was %', p_renewal_id, v_settled.outcome; END IF;
  UPDATE renewals SET state = CASE WHEN renewed > 0 THEN 'done' ELSE 'failed' END, captured_micros = v_settled.captured, ended_at = v_now,
    failure = CASE WHEN renewed < v_renewal.quantity THEN coalesce(p_failure, 'supplier_failed') END WHERE id = p_renewal_id;
  PERFORM refresh_order(v_order.id);
  IF renewed < v_renewal.quantity THEN
    -- What was not renewed still ends when it did, and its next try follows that same end: an automatic key would stand in its way.
    UPDATE renewals SET key = key || ':' || p_renewal_id WHERE id = p_renewal_id AND (renewed = 0 OR key LIKE 'auto:%');
    UPDATE orders SET retry_at = p_retry_at WHERE id = v_order.id;
  END IF;
  IF renewed > 0 THEN
    PERFORM tell_renewed(v_order.id, p_renewal_id);
    outcome := 'renewed';
  ELSE
    INSERT INTO order_events (order_id, kind, data) VALUES (v_order.id, 'renewal_failed', jsonb_build_object('renewalId', p_renewal_id,
      'releasedMicros', v_settled.released::text, 'reason', coalesce(p_failure, 'supplier_failed')));
    PERFORM queue_user_email('renewal_failed:' || p_renewal_id, v_order.user_id, 'renewal_failed', jsonb_build_object('orderId', v_order.id,
      'refundedMicros', v_settled.released::text, 'currency', v_renewal.currency, 'reason', coalesce(p_failure, 'supplier_failed')));
    outcome := 'failed';
  END IF;
END $$;
