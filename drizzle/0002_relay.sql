CREATE TABLE "device_day" (
	"business" uuid NOT NULL,
	"code" text NOT NULL,
	"day" integer NOT NULL,
	"own" integer NOT NULL,
	"carried" integer NOT NULL,
	CONSTRAINT "device_day_business_code_pk" PRIMARY KEY("business","code")
);
--> statement-breakpoint
CREATE TABLE "record_answers" (
	"person" uuid NOT NULL,
	"h" text NOT NULL,
	"day" integer NOT NULL,
	"answers" integer NOT NULL,
	CONSTRAINT "record_answers_person_h_pk" PRIMARY KEY("person","h")
);
--> statement-breakpoint
CREATE TABLE "epoch_end" (
	"business" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"s" bigint NOT NULL,
	CONSTRAINT "epoch_end_business_epoch_pk" PRIMARY KEY("business","epoch")
);
--> statement-breakpoint
CREATE TABLE "late_fact" (
	"business" uuid NOT NULL,
	"code" text NOT NULL,
	"n" bigint NOT NULL,
	"text" text NOT NULL,
	"received_at" bigint NOT NULL,
	"state" text NOT NULL,
	"decided_at" bigint,
	"reason" text,
	CONSTRAINT "late_fact_business_code_n_pk" PRIMARY KEY("business","code","n")
);
--> statement-breakpoint
DROP INDEX "bridge_state_to_do";--> statement-breakpoint
ALTER TABLE "device" ADD COLUMN "heir_of" text;--> statement-breakpoint
ALTER TABLE "member" ADD COLUMN "removed_at" bigint;--> statement-breakpoint
ALTER TABLE "ticket" ADD COLUMN "session" uuid;--> statement-breakpoint
ALTER TABLE "document_head" ADD COLUMN "compacted" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "fact" ADD COLUMN "carried_by" text;--> statement-breakpoint
ALTER TABLE "fact" ADD COLUMN "was_code" text collate "C";--> statement-breakpoint
ALTER TABLE "fact" ADD COLUMN "was_n" bigint;--> statement-breakpoint
ALTER TABLE "fact" ADD COLUMN "first_digest" bigint;--> statement-breakpoint
ALTER TABLE "phone" ADD COLUMN "heir_of" text;--> statement-breakpoint
ALTER TABLE "phone_ticket" ADD COLUMN "session" uuid;--> statement-breakpoint
CREATE INDEX "late_fact_by_state" ON "late_fact" USING btree ("business","state");--> statement-breakpoint
CREATE INDEX "device_by_ancestor" ON "device" USING btree ("business","heir_of");--> statement-breakpoint
CREATE INDEX "document_head_to_compact" ON "document_head" USING btree ("business","document") WHERE sequence > compacted;--> statement-breakpoint
CREATE UNIQUE INDEX "fact_issued_again" ON "fact" USING btree ("business","was_code","was_n","first_digest") WHERE was_code is not null;--> statement-breakpoint
CREATE INDEX "fact_carried" ON "fact" USING btree ("business","s") WHERE carried_by is not null;--> statement-breakpoint
CREATE INDEX "phone_by_ancestor" ON "phone" USING btree ("person","heir_of");--> statement-breakpoint
CREATE INDEX "bridge_state_to_do" ON "bridge_state" USING btree ("business") WHERE is_behind;--> statement-breakpoint
ALTER TABLE "bridge_state" DROP COLUMN "card";--> statement-breakpoint
ALTER TABLE "bridge_state" DROP COLUMN "is_card_stale";--> statement-breakpoint
ALTER TABLE "bridge_state" DROP COLUMN "saw_at";--> statement-breakpoint
ALTER TABLE "bridge_state" DROP COLUMN "seen_pending";