/**
 * The program that holds a pod's namespaces: it tells the kernel to reap its children by itself (orphans of a shared
 * process namespace would stay zombies), then sleeps for ever. It is some 30 instructions, so it is written down here as
 * machine code, instead of being fetched from a registry or compiled: a node starts without pulling anything.
 */

export type Architecture = "amd64" | "arm64";

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
/** The kernel's struct sigaction: handler, flags, restorer, mask, 8 bytes each. */
const SIGACTION_BYTES = 32;
const SIG_IGN = 1n;
const SIGCHLD = 17;
const SIGNAL_SET_BYTES = 8;
const MACHINE = { amd64: 62, arm64: 183 } as const;

/** A static ELF executable for Linux, as small as it gets: headers, code, one struct. */
export function pauseProgram(architecture: Architecture): Uint8Array {
  const make = architecture === "amd64" ? codeForAmd64 : codeForArm64;
  const codeBytes = make(0).length;
  const dataOffset = Math.ceil((CODE_OFFSET + codeBytes) / 8) * 8;
  const code = make(LOAD_ADDRESS + dataOffset);
  const file = Buffer.alloc(dataOffset + SIGACTION_BYTES);

  Buffer.from("\x7fELF\x02\x01\x01", "latin1").copy(file); // 64 bits, little-endian, version 1.
  file.writeUInt16LE(2, 16); // e_type: executable
  file.writeUInt16LE(MACHINE[architecture], 18);
  file.writeUInt32LE(1, 20); // e_version
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24); // e_entry
  file.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32); // e_phoff
  file.writeUInt16LE(ELF_HEADER_BYTES, 52); // e_ehsize
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54); // e_phentsize
  file.writeUInt16LE(1, 56); // e_phnum

  const header = ELF_HEADER_BYTES;
  file.writeUInt32LE(1, header); // p_type: load
  file.writeUInt32LE(5, header + 4); // p_flags: read, execute
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), header + 16); // p_vaddr
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), header + 24); // p_paddr
  file.writeBigUInt64LE(BigInt(file.length), header + 32); // p_filesz
  file.writeBigUInt64LE(BigInt(file.length), header + 40); // p_memsz
  file.writeBigUInt64LE(0x10000n, header + 48); // p_align: arm64 kernels may have pages of 64 KiB.

  file.set(code, CODE_OFFSET);
  file.writeBigUInt64LE(SIG_IGN, dataOffset);
  return file;
}

/** rt_sigaction(SIGCHLD, sigaction, NULL, 8); for (;;) pause(); */
function codeForAmd64(sigaction: number): Uint8Array {
  const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
  const SYSCALL = [0x0f, 0x05];
  return Uint8Array.from([
    ...[0xb8, ...word(13)], // mov eax, rt_sigaction
    ...[0xbf, ...word(SIGCHLD)], // mov edi, SIGCHLD
    ...[0xbe, ...word(sigaction)], // mov esi, sigaction
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x41, 0xba, ...word(SIGNAL_SET_BYTES)], // mov r10d, 8
    ...SYSCALL,
    ...[0xb8, ...word(34)], // again: mov eax, pause
    ...SYSCALL,
    ...[0xeb, 0xf7], // jmp again
  ]);
}

/** rt_sigaction(SIGCHLD, sigaction, NULL, 8); for (;;) ppoll(NULL, 0, NULL, NULL, 0); (arm64 has no pause) */
function codeForArm64(sigaction: number): Uint8Array {
  const movz = (register: number, value: number): number => 0xd2800000 + (value << 5) + register;
  const movkHigh = (register: number, value: number): number => 0xf2a00000 + (value << 5) + register;
  const SVC = 0xd4000001;
  const again = [movz(8, 73), movz(0, 0), movz(1, 0), movz(2, 0), movz(3, 0), movz(4, 0), SVC];
  const instructions = [
    movz(8, 134),
    movz(0, SIGCHLD),
    movz(1, sigaction & 0xffff),
    movkHigh(1, sigaction >>> 16),
    movz(2, 0),
    movz(3, SIGNAL_SET_BYTES),
    SVC,
    ...again,
    0x14000000 + (0x4000000 - again.length), // b again
  ];
  const code = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, index) => {
    code.writeUInt32LE(instruction >>> 0, index * 4);
  });
  return code;
}
