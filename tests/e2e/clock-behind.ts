// Loaded into a server before its first module: its clock goes behind by `DAFTAR_BEHIND_MS` until it
// gets SIGUSR2. So a test lets days go by.

const rightNow = Date.now.bind(Date);
let behindMs = Number(process.env['DAFTAR_BEHIND_MS']);

Date.now = () => rightNow() - behindMs;
process.on('SIGUSR2', () => {
	behindMs = 0;
});
