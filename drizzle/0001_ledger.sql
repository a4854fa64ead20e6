CREATE TABLE "bridge_cursor" (
	"scope" uuid PRIMARY KEY NOT NULL,
	"s" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "claim" (
	"business" uuid NOT NULL,
	"claim" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"h" text NOT NULL,
	"way" text NOT NULL,
	"counter" bigint,
	CONSTRAINT "claim_business_claim_pk" PRIMARY KEY("business","claim")
);
--> statement-breakpoint
CREATE TABLE "ledger_fact" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"kind" text NOT NULL,
	CONSTRAINT "ledger_fact_business_ledger_code_n_pk" PRIMARY KEY("business","ledger","code","n")
);
--> statement-breakpoint
CREATE TABLE "sheet" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"kind" text NOT NULL,
	"currency" text NOT NULL,
	"exponent" integer NOT NULL,
	"fields" jsonb NOT NULL,
	"wall" bigint NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	CONSTRAINT "sheet_business_ledger_kind_currency_exponent_pk" PRIMARY KEY("business","ledger","kind","currency","exponent")
);
--> statement-breakpoint
CREATE TABLE "claim_judged" (
	"business" uuid NOT NULL,
	"claim" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"h" text NOT NULL,
	"seq" bigint NOT NULL,
	"v" "bytea" NOT NULL,
	"sig" "bytea" NOT NULL,
	"judged_at" bigint NOT NULL,
	CONSTRAINT "claim_judged_business_claim_pk" PRIMARY KEY("business","claim")
);
--> statement-breakpoint
CREATE TABLE "claim_waiting" (
	"business" uuid NOT NULL,
	"claim" uuid NOT NULL,
	"code" text NOT NULL,
	"n" bigint NOT NULL,
	"due_at" bigint NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "claim_waiting_business_claim_code_n_pk" PRIMARY KEY("business","claim","code","n")
);
--> statement-breakpoint
CREATE TABLE "code_epoch" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"person" uuid,
	"started_at" bigint NOT NULL,
	CONSTRAINT "code_epoch_business_ledger_epoch_pk" PRIMARY KEY("business","ledger","epoch")
);
--> statement-breakpoint
CREATE TABLE "code_spent" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"way" text NOT NULL,
	"counter" bigint NOT NULL,
	"h" text NOT NULL,
	"claim" uuid NOT NULL,
	"result" text NOT NULL,
	"al" integer NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "code_spent_business_ledger_epoch_way_counter_pk" PRIMARY KEY("business","ledger","epoch","way","counter")
);
--> statement-breakpoint
CREATE TABLE "connection_ask" (
	"ask" uuid PRIMARY KEY NOT NULL,
	"business" uuid NOT NULL,
	"person" uuid NOT NULL,
	"by" text NOT NULL,
	"ledger" uuid,
	"state" text NOT NULL,
	"created_at" bigint NOT NULL,
	"answered_at" bigint
);
--> statement-breakpoint
CREATE TABLE "ledger_guard" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"verdict_seq" bigint DEFAULT 0 NOT NULL,
	"verdict_hash" "bytea",
	"phone" text,
	"sheet_wrong" integer DEFAULT 0 NOT NULL,
	"app_wrong" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "ledger_guard_business_ledger_pk" PRIMARY KEY("business","ledger")
);
--> statement-breakpoint
CREATE TABLE "ledger_invite" (
	"business" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"ledger" uuid NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"used_at" bigint,
	"used_by" uuid,
	CONSTRAINT "ledger_invite_business_token_hash_pk" PRIMARY KEY("business","token_hash")
);
--> statement-breakpoint
CREATE TABLE "ledger_secret" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "ledger_secret_business_ledger_pk" PRIMARY KEY("business","ledger")
);
--> statement-breakpoint
CREATE TABLE "person_secret" (
	"person" uuid PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "phone_change" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"phone" text NOT NULL,
	"asked_at" bigint NOT NULL,
	CONSTRAINT "phone_change_business_ledger_pk" PRIMARY KEY("business","ledger")
);
--> statement-breakpoint
CREATE TABLE "sheet_set" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"kind" text NOT NULL,
	"currency" text NOT NULL,
	"exponent" integer NOT NULL,
	"cap" bigint NOT NULL,
	"issued_at" bigint NOT NULL,
	"next_counter" integer NOT NULL,
	CONSTRAINT "sheet_set_business_ledger_epoch_pk" PRIMARY KEY("business","ledger","epoch")
);
--> statement-breakpoint
CREATE TABLE "sms_month" (
	"business" uuid NOT NULL,
	"month" text NOT NULL,
	"sent" integer NOT NULL,
	CONSTRAINT "sms_month_business_month_pk" PRIMARY KEY("business","month")
);
--> statement-breakpoint
CREATE TABLE "sms_send" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"h" text NOT NULL,
	"send" integer NOT NULL,
	"recipient" text NOT NULL,
	"sent_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"result" text,
	"al" integer,
	CONSTRAINT "sms_send_business_ledger_h_send_pk" PRIMARY KEY("business","ledger","h","send")
);
--> statement-breakpoint
CREATE TABLE "wrong_day" (
	"business" uuid NOT NULL,
	"day" text NOT NULL,
	"wrong" integer NOT NULL,
	CONSTRAINT "wrong_day_business_day_pk" PRIMARY KEY("business","day")
);
--> statement-breakpoint
CREATE TABLE "message" (
	"key" text PRIMARY KEY NOT NULL,
	"channel" text NOT NULL,
	"recipient" text NOT NULL,
	"subject" text,
	"body" text,
	"is_secret" boolean NOT NULL,
	"state" text NOT NULL,
	"tries" integer NOT NULL,
	"due_at" bigint NOT NULL,
	"expires_at" bigint,
	"created_at" bigint NOT NULL,
	"ended_at" bigint,
	"gateway" text,
	"answer" text
);
--> statement-breakpoint
CREATE TABLE "one_time_code" (
	"purpose" text NOT NULL,
	"subject" text NOT NULL,
	"serial" uuid NOT NULL,
	"channel" text,
	"recipient" text,
	"sends" integer NOT NULL,
	"tries" integer NOT NULL,
	"first_sent_at" bigint NOT NULL,
	"sent_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"used_at" bigint,
	CONSTRAINT "one_time_code_purpose_subject_pk" PRIMARY KEY("purpose","subject")
);
--> statement-breakpoint
CREATE TABLE "recovery_code" (
	"account" uuid NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"used_at" bigint,
	CONSTRAINT "recovery_code_account_code_hash_pk" PRIMARY KEY("account","code_hash")
);
--> statement-breakpoint
CREATE TABLE "second_factor" (
	"account" uuid PRIMARY KEY NOT NULL,
	"wrapped_secret" "bytea" NOT NULL,
	"created_at" bigint NOT NULL,
	"confirmed_at" bigint
);
--> statement-breakpoint
CREATE TABLE "spent_step" (
	"account" uuid NOT NULL,
	"step" integer NOT NULL,
	CONSTRAINT "spent_step_account_step_pk" PRIMARY KEY("account","step")
);
--> statement-breakpoint
CREATE TABLE "bridge_state" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"person" uuid NOT NULL,
	"day" integer DEFAULT 0 NOT NULL,
	"count" integer DEFAULT 0 NOT NULL,
	"is_behind" boolean DEFAULT false NOT NULL,
	"card" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"is_card_stale" boolean DEFAULT false NOT NULL,
	"saw_up_to" bigint DEFAULT 0 NOT NULL,
	"saw_at" bigint DEFAULT 0 NOT NULL,
	"seen_pending" bigint,
	CONSTRAINT "bridge_state_business_ledger_person_pk" PRIMARY KEY("business","ledger","person")
);
--> statement-breakpoint
CREATE TABLE "bridged" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"person" uuid NOT NULL,
	"key" text NOT NULL,
	"branch" uuid,
	"wrote_at" bigint NOT NULL,
	"booked_at" bigint NOT NULL,
	CONSTRAINT "bridged_business_ledger_person_key_pk" PRIMARY KEY("business","ledger","person","key")
);
--> statement-breakpoint
CREATE TABLE "ledger_link" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"person" uuid,
	"state" text NOT NULL,
	"way" text NOT NULL,
	"epoch" integer NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "ledger_link_business_ledger_pk" PRIMARY KEY("business","ledger")
);
--> statement-breakpoint
CREATE TABLE "person_detail" (
	"person" uuid PRIMARY KEY NOT NULL,
	"name" text,
	"last_phone" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "phone" (
	"person" uuid NOT NULL,
	"code" text NOT NULL,
	"number" integer NOT NULL,
	"public_key" "bytea" NOT NULL,
	"kid" "bytea" NOT NULL,
	"joined_at" bigint NOT NULL,
	"removed_at" bigint,
	CONSTRAINT "phone_person_code_pk" PRIMARY KEY("person","code"),
	CONSTRAINT "phone_key_once" UNIQUE("person","public_key")
);
--> statement-breakpoint
CREATE TABLE "phone_ticket" (
	"person" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"code" text NOT NULL,
	"document" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "phone_ticket_person_token_hash_pk" PRIMARY KEY("person","token_hash")
);
--> statement-breakpoint
CREATE TABLE "phone_token" (
	"person" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"code" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "phone_token_person_token_hash_pk" PRIMARY KEY("person","token_hash")
);
--> statement-breakpoint
CREATE TABLE "relay_key" (
	"place" integer PRIMARY KEY NOT NULL,
	"kid" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "email_proved_at" bigint;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "phone_proved_at" bigint;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "language" text DEFAULT 'en' NOT NULL;--> statement-breakpoint
ALTER TABLE "session" ADD COLUMN "id" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "session" ADD COLUMN "address" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "document_head" ADD COLUMN "relay_client" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "document_head" ADD COLUMN "relay_clock" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "document_head" ADD COLUMN "relay_epoch" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "feed_head" ADD COLUMN "relay_wall" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "connection_ask" ADD CONSTRAINT "connection_ask_person_person_person_fk" FOREIGN KEY ("person") REFERENCES "public"."person"("person") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_secret" ADD CONSTRAINT "person_secret_person_person_person_fk" FOREIGN KEY ("person") REFERENCES "public"."person"("person") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recovery_code" ADD CONSTRAINT "recovery_code_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "second_factor" ADD CONSTRAINT "second_factor_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spent_step" ADD CONSTRAINT "spent_step_account_account_account_fk" FOREIGN KEY ("account") REFERENCES "public"."account"("account") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_detail" ADD CONSTRAINT "person_detail_person_person_person_fk" FOREIGN KEY ("person") REFERENCES "public"."person"("person") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone" ADD CONSTRAINT "phone_person_person_person_fk" FOREIGN KEY ("person") REFERENCES "public"."person"("person") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone_ticket" ADD CONSTRAINT "phone_ticket_person_code_phone_person_code_fk" FOREIGN KEY ("person","code") REFERENCES "public"."phone"("person","code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone_token" ADD CONSTRAINT "phone_token_person_code_phone_person_code_fk" FOREIGN KEY ("person","code") REFERENCES "public"."phone"("person","code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "claim_by_record" ON "claim" USING btree ("business","h");--> statement-breakpoint
CREATE INDEX "ledger_fact_by_id" ON "ledger_fact" USING btree ("business","code","n");--> statement-breakpoint
CREATE UNIQUE INDEX "claim_judged_chain" ON "claim_judged" USING btree ("business","ledger","seq");--> statement-breakpoint
CREATE INDEX "claim_waiting_by_due" ON "claim_waiting" USING btree ("due_at");--> statement-breakpoint
CREATE UNIQUE INDEX "connection_ask_open" ON "connection_ask" USING btree ("business","person") WHERE state = 'asked';--> statement-breakpoint
CREATE INDEX "connection_ask_by_business" ON "connection_ask" USING btree ("business","person","created_at");--> statement-breakpoint
CREATE INDEX "ledger_invite_by_expiry" ON "ledger_invite" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "message_by_due" ON "message" USING btree ("state","due_at");--> statement-breakpoint
CREATE INDEX "message_by_recipient" ON "message" USING btree ("recipient","created_at");--> statement-breakpoint
CREATE INDEX "message_by_age" ON "message" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "one_time_code_by_expiry" ON "one_time_code" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "bridge_state_by_person" ON "bridge_state" USING btree ("person");--> statement-breakpoint
CREATE INDEX "bridge_state_to_do" ON "bridge_state" USING btree ("business") WHERE is_behind or is_card_stale or seen_pending is not null;--> statement-breakpoint
CREATE INDEX "bridged_by_key" ON "bridged" USING btree ("business","key");--> statement-breakpoint
CREATE INDEX "bridged_by_time" ON "bridged" USING btree ("business","ledger","person","booked_at");--> statement-breakpoint
CREATE INDEX "ledger_link_by_person" ON "ledger_link" USING btree ("person");--> statement-breakpoint
CREATE INDEX "phone_ticket_by_expiry" ON "phone_ticket" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "phone_token_by_expiry" ON "phone_token" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "account_username_beginning" ON "account" USING btree ("username" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "record_by_hash" ON "record" USING btree ("business","h");--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_id_unique" UNIQUE("id");