import { cryptoContract } from '#tests/contract/crypto.ts';
import { createNodeCrypto } from './crypto.ts';

cryptoContract('node', createNodeCrypto());
