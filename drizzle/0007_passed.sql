CREATE TABLE "bridge_passed" (
	"scope" uuid NOT NULL,
	"s" bigint NOT NULL,
	"reason" text NOT NULL,
	"tries" integer DEFAULT 1 NOT NULL,
	"due_day" integer NOT NULL,
	CONSTRAINT "bridge_passed_scope_s_pk" PRIMARY KEY("scope","s")
);
--> statement-breakpoint
CREATE INDEX "bridge_passed_by_day" ON "bridge_passed" USING btree ("due_day");