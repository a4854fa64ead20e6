-- Spreads Daftar's tables over the machines of a Citus cluster. Once, on the coordinator, after a
-- first start of Daftar made the tables:  psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f citus.sql
-- Stop every server meanwhile. Nodes are added before (citus_add_node), shards moved after
-- (citus_rebalance_start). Read README.md first.

create extension if not exists citus;

begin;

-- Whole on every machine: few, rarely written, and named by both sides.
select create_reference_table('account');
select create_reference_table('person');
select create_reference_table('person_alias');
select create_reference_table('connection_ask');

-- On the coordinator alone: nothing of a shop's day joins them.
select citus_add_local_table_to_metadata('database_epoch');
select citus_add_local_table_to_metadata('device_nonce');
select citus_add_local_table_to_metadata('message');
select citus_add_local_table_to_metadata('one_time_code');
select citus_add_local_table_to_metadata('rate_limit');
select citus_add_local_table_to_metadata('recovery_code');
select citus_add_local_table_to_metadata('relay_key');
select citus_add_local_table_to_metadata('second_factor');
select citus_add_local_table_to_metadata('session');
select citus_add_local_table_to_metadata('spent_step');

-- Spread by business, and a person's feed and documents by the person, who stands in the same column.
select create_distributed_table('feed_head', 'business');
select create_distributed_table('business', 'business', colocate_with => 'feed_head');
select create_distributed_table('branch', 'business', colocate_with => 'feed_head');
select create_distributed_table('member', 'business', colocate_with => 'feed_head');
select create_distributed_table('device', 'business', colocate_with => 'feed_head');
select create_distributed_table('backup_mark', 'business', colocate_with => 'feed_head');
select create_distributed_table('balance', 'business', colocate_with => 'feed_head');
select create_distributed_table('bridge_cursor', 'scope', colocate_with => 'feed_head');
select create_distributed_table('bridge_passed', 'scope', colocate_with => 'feed_head');
select create_distributed_table('bridge_state', 'business', colocate_with => 'feed_head');
select create_distributed_table('bridged', 'business', colocate_with => 'feed_head');
select create_distributed_table('early_answer', 'business', colocate_with => 'feed_head');
select create_distributed_table('early_name', 'business', colocate_with => 'feed_head');
select create_distributed_table('claim', 'business', colocate_with => 'feed_head');
select create_distributed_table('claim_judged', 'business', colocate_with => 'feed_head');
select create_distributed_table('claim_waiting', 'business', colocate_with => 'feed_head');
select create_distributed_table('clock', 'business', colocate_with => 'feed_head');
select create_distributed_table('code_epoch', 'business', colocate_with => 'feed_head');
select create_distributed_table('code_spent', 'business', colocate_with => 'feed_head');
select create_distributed_table('customer', 'business', colocate_with => 'feed_head');
select create_distributed_table('day_total', 'business', colocate_with => 'feed_head');
select create_distributed_table('device_day', 'business', colocate_with => 'feed_head');
select create_distributed_table('device_token', 'business', colocate_with => 'feed_head');
select create_distributed_table('document_head', 'business', colocate_with => 'feed_head');
select create_distributed_table('document_update', 'business', colocate_with => 'feed_head');
select create_distributed_table('epoch_end', 'business', colocate_with => 'feed_head');
select create_distributed_table('fact', 'business', colocate_with => 'feed_head');
select create_distributed_table('fork', 'business', colocate_with => 'feed_head');
select create_distributed_table('invite', 'business', colocate_with => 'feed_head');
select create_distributed_table('late_fact', 'business', colocate_with => 'feed_head');
select create_distributed_table('ledger_fact', 'business', colocate_with => 'feed_head');
select create_distributed_table('ledger_guard', 'business', colocate_with => 'feed_head');
select create_distributed_table('ledger_invite', 'business', colocate_with => 'feed_head');
select create_distributed_table('ledger_link', 'business', colocate_with => 'feed_head');
select create_distributed_table('ledger_secret', 'business', colocate_with => 'feed_head');
select create_distributed_table('phone_change', 'business', colocate_with => 'feed_head');
select create_distributed_table('product', 'business', colocate_with => 'feed_head');
select create_distributed_table('record', 'business', colocate_with => 'feed_head');
select create_distributed_table('return_line', 'business', colocate_with => 'feed_head');
select create_distributed_table('sale', 'business', colocate_with => 'feed_head');
select create_distributed_table('sale_line', 'business', colocate_with => 'feed_head');
select create_distributed_table('sale_return', 'business', colocate_with => 'feed_head');
select create_distributed_table('setting', 'business', colocate_with => 'feed_head');
select create_distributed_table('sheet', 'business', colocate_with => 'feed_head');
select create_distributed_table('sheet_set', 'business', colocate_with => 'feed_head');
select create_distributed_table('sms_month', 'business', colocate_with => 'feed_head');
select create_distributed_table('sms_send', 'business', colocate_with => 'feed_head');
select create_distributed_table('stock', 'business', colocate_with => 'feed_head');
select create_distributed_table('tender', 'business', colocate_with => 'feed_head');
select create_distributed_table('ticket', 'business', colocate_with => 'feed_head');
select create_distributed_table('wrong_day', 'business', colocate_with => 'feed_head');

-- By person, beside his feed.
select create_distributed_table('person_detail', 'person', colocate_with => 'feed_head');
select create_distributed_table('person_secret', 'person', colocate_with => 'feed_head');
select create_distributed_table('phone', 'person', colocate_with => 'feed_head');
select create_distributed_table('phone_ticket', 'person', colocate_with => 'feed_head');
select create_distributed_table('phone_token', 'person', colocate_with => 'feed_head');
select create_distributed_table('record_answers', 'person', colocate_with => 'feed_head');

commit;
