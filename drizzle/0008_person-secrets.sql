ALTER TABLE "code_epoch" ADD COLUMN "secret" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "person_secret" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "person_secret" DROP CONSTRAINT "person_secret_pkey";--> statement-breakpoint
ALTER TABLE "person_secret" ADD CONSTRAINT "person_secret_person_version_pk" PRIMARY KEY("person","version");
