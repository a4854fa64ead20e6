interface TrustedPolicy {
	createScriptURL(url: string): string;
}

interface TrustedPolicies {
	createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): TrustedPolicy;
}

let policy: TrustedPolicy | undefined;

/**
 * Speaks for the address of a worker of our own, as Trusted Types ask. The page's policy names one
 * policy `app`, which can be made once; both workers go through here.
 */
export function ownScriptUrl(url: string): string {
	if (!('trustedTypes' in globalThis)) return url;
	const { trustedTypes } = globalThis as unknown as { trustedTypes: TrustedPolicies };
	policy ??= trustedTypes.createPolicy('app', { createScriptURL: (own) => own });
	return policy.createScriptURL(url);
}
