CREATE TABLE "bridge_passed" (
	"scope" uuid NOT NULL,
	"s" bigint NOT NULL,
	"reason" text NOT NULL,
	"tries" integer DEFAULT 1 NOT NULL,
	"due_day" integer NOT NULL,
	CONSTRAINT "bridge_passed_scope_s_pk" PRIMARY KEY("scope","s")
);
--> statement-breakpoint
DROP INDEX "claim_waiting_by_due";--> statement-breakpoint
ALTER TABLE "claim_waiting" ALTER COLUMN "due_at" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "claim_waiting" ADD COLUMN "awaits" text;--> statement-breakpoint
CREATE INDEX "bridge_passed_by_day" ON "bridge_passed" USING btree ("due_day");--> statement-breakpoint
CREATE INDEX "claim_waiting_due" ON "claim_waiting" USING btree ("business","claim","code","n") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "claim_waiting_for_record" ON "claim_waiting" USING btree ("business","awaits") WHERE due_at is null;