// What a real server said, once: etcd 3.6.14, whose certificate `CN=cp-1` is for 127.0.0.1 and to 2126, and which lets in the clients of
// `CN=etcd-ca` and `CN=etcd-ca, OU=g2`. The ClientHello was that of lib/verify/hello.ts, with these 32 bytes.

/** The random bytes of the client. */
export const CLIENT_RANDOM = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

/** All that the server said before it waited. */
export const FLIGHT = Buffer.from(
  `
FgMDADcCAAAzAwOtW0xG6W7f6A6XDlDZvCBRa+gGjg6joLlET1dOR1JEAQDAKwAAC/8BAAEAAAsAAgEAFgMDAaQLAAGgAAGdAAGa
MIIBljCCAT2gAwIBAgIUfhrJm+aGs/lL1prlVoS9ySC2V0EwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHZXRjZC1jYTAgFw0yNjEx
MjUwOTE0MTlaGA8yMTI2MTEwMTA5MTQxOVowDzENMAsGA1UEAwwEY3AtMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBn3/U80
szalBznraQ31X/OLl3au4t4ZqV+reXfz24GfIq5PWr52L2RVOGO06CDduRnwRhoVZf7N7YdIq2ZrNQGjcjBwMB0GA1UdJQQWMBQG
CCsGAQUFBwMBBggrBgEFBQcDAjAPBgNVHREECDAGhwR/AAABMB0GA1UdDgQWBBS1ivdl/a8FzwLbQD4wjy4mPqnjFTAfBgNVHSME
GDAWgBTKYcankyAYlxQGz8CHbKfCsAwo3zAKBggqhkjOPQQDAgNHADBEAiAi554nmK/pJxMDtDaesaGggOKa5Rdv9zAWI34xWBVA
rgIgBE2fyWtulKyarzv84jIabEAiPtLExUsB0yXVisfe/RIWAwMAcwwAAG8DAB0gLy2na1grfrVPWdRu7anFFK+r7Cu5R5P1nb28
Unb0HRYEAwBHMEUCIQCb1CAN2oX4AmVeqwkKNvRxekN9ukdMTcwxOvyEKl13rgIgEiMVedwK5mZdwp30BdW5Mt9lio4HYicw3MVE
ICekJ9oWAwMAWA0AAFQCAUAAFAgEBAMIBwgFCAYEAQUBBgEFAwYDADkAFDASMRAwDgYDVQQDDAdldGNkLWNhACEwHzEQMA4GA1UE
AwwHZXRjZC1jYTELMAkGA1UECwwCZzIWAwMABA4AAAA=
`,
  "base64",
);

/** As `openssl x509 -fingerprint -sha256` tells it of the certificate's file. */
export const FINGERPRINT =
  "EB:4E:18:55:B4:A3:54:DE:98:29:61:93:2F:90:D4:E7:01:6D:A4:85:E7:35:85:A8:25:7C:35:AA:A2:3D:B2:E4";
