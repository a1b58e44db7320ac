//! The system calls a notebook cannot make, as a BPF program: data that Rust installs and that a Python process forked
//! by the zygote installs as well.
//!
//! A deny list: what notebooks run is anything. It closes what namespaces and missing capabilities leave open: new user
//! namespaces (a way to capabilities over the kernel's rarely used parts), `ptrace` and kin, kernel interfaces known for
//! their faults, address families that no network namespace separates (`AF_VSOCK` reaches a virtual machine's host).
//! Denied calls fail with `EPERM`, as for any unprivileged process; `clone3` is "not there" so that callers use `clone`,
//! whose flags a filter can see. Debuggers do not work.

use libc::sock_filter;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in `struct seccomp_data`; the low half of an argument comes first on both machines.
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const ARGUMENT_0: u32 = 16;
const ARGUMENT_1: u32 = 24;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const fn fail(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// `AUDIT_ARCH_*` of linux/audit.h.
#[cfg(target_arch = "x86_64")]
const THIS_MACHINE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const THIS_MACHINE: u32 = 0xC000_00B7;

/// All `CLONE_NEW*` that clone(2) takes: mount, cgroup, uts, ipc, user, pid, net.
const NEW_NAMESPACES: u32 = 0x7E02_0000;

/// Newer than the libc crate's list; the number is the same on every machine.
const OPEN_TREE_ATTR: libc::c_long = 467;

#[rustfmt::skip]
const DENIED: &[libc::c_long] = &[
    // Namespaces and mounts.
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot,
    libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount,
    libc::SYS_fspick, libc::SYS_mount_setattr, OPEN_TREE_ATTR,
    libc::SYS_open_by_handle_at, libc::SYS_quotactl, libc::SYS_quotactl_fd, libc::SYS_fanotify_init,
    // Other processes.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Large kernel interfaces that notebooks do not need.
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    // Keyrings are per user, not per namespace.
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
    // The machine itself.
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_reboot,
    libc::SYS_kexec_file_load, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_acct, libc::SYS_syslog,
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")] libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")] libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")] libc::SYS_modify_ldt,
];

/// The address families that stay: unix, IPv4, IPv6 and netlink (names of interfaces are asked by it).
const FAMILIES: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Terminal requests by which one could type into another's terminal.
const TERMINAL_REQUESTS: &[u32] = &[0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */];

const fn step(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Goes `yes` or `no` instructions further.
const fn jump(code: u16, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code, jt: yes, jf: no, k }
}

/// The call's number as the filter sees it.
fn number(call: libc::c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

/// The program.
#[must_use]
pub fn program() -> Vec<sock_filter> {
    let mut program = vec![
        step(LOAD, MACHINE),
        jump(EQUAL, THIS_MACHINE, 1, 0),
        // 32-bit calls have other numbers: whoever makes them is up to something.
        step(RETURN, KILL),
        step(LOAD, NUMBER),
        // The x32 numbers of x86_64; on others there is nothing so high.
        jump(AT_LEAST, 0x4000_0000, 0, 1),
        step(RETURN, fail(libc::EPERM)),
        jump(EQUAL, number(libc::SYS_clone3), 0, 1),
        step(RETURN, fail(libc::ENOSYS)),
    ];
    for &call in DENIED {
        program.extend([jump(EQUAL, number(call), 0, 1), step(RETURN, fail(libc::EPERM))]);
    }
    program.extend([
        jump(EQUAL, number(libc::SYS_clone), 0, 4),
        step(LOAD, ARGUMENT_0),
        jump(ANY_BIT, NEW_NAMESPACES, 0, 1),
        step(RETURN, fail(libc::EPERM)),
        step(RETURN, ALLOW),
    ]);
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let families = u8::try_from(FAMILIES.len()).unwrap_or(0);
        program.extend([jump(EQUAL, number(call), 0, families + 3), step(LOAD, ARGUMENT_0)]);
        for (index, &family) in (0u8..).zip(FAMILIES) {
            // To the permission behind the last comparison and the refusal.
            program.push(jump(EQUAL, family as u32, families - index, 0));
        }
        program.extend([step(RETURN, fail(libc::EAFNOSUPPORT)), step(RETURN, ALLOW)]);
    }
    let requests = u8::try_from(TERMINAL_REQUESTS.len()).unwrap_or(0);
    program.extend([jump(EQUAL, number(libc::SYS_ioctl), 0, requests + 3), step(LOAD, ARGUMENT_1)]);
    for (index, &request) in (0u8..).zip(TERMINAL_REQUESTS) {
        program.push(jump(EQUAL, request, requests - index, 0));
    }
    program.extend([step(RETURN, ALLOW), step(RETURN, fail(libc::EPERM)), step(RETURN, ALLOW)]);
    program
}

/// The program as the bytes of an array of `struct sock_filter`.
#[must_use]
pub fn bytes() -> Vec<u8> {
    let instruction = |step: sock_filter| {
        let mut bytes = Vec::with_capacity(size_of::<sock_filter>());
        bytes.extend(step.code.to_ne_bytes());
        bytes.extend([step.jt, step.jf]);
        bytes.extend(step.k.to_ne_bytes());
        bytes
    };
    program().into_iter().flat_map(instruction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel would.
    fn verdict(machine: u32, call: libc::c_long, arguments: [u32; 2]) -> u32 {
        let program = program();
        let (mut at, mut held) = (0usize, 0u32);
        loop {
            let step = program[at];
            at += 1;
            let mut jump = |yes: bool| at += usize::from(if yes { step.jt } else { step.jf });
            match step.code {
                LOAD => {
                    held = match step.k {
                        NUMBER => call as u32,
                        MACHINE => machine,
                        ARGUMENT_0 => arguments[0],
                        ARGUMENT_1 => arguments[1],
                        other => panic!("offset {other}"),
                    }
                }
                EQUAL => jump(held == step.k),
                AT_LEAST => jump(held >= step.k),
                ANY_BIT => jump(held & step.k != 0),
                RETURN => return step.k,
                other => panic!("code {other}"),
            }
        }
    }

    #[test]
    fn every_rule_says_what_it_should() {
        let here = |call, arguments| verdict(THIS_MACHINE, call, arguments);
        let (eperm, allow) = (fail(libc::EPERM), ALLOW);
        for &call in DENIED {
            assert_eq!(here(call, [0, 0]), eperm, "{call}");
        }
        for call in
            [libc::SYS_read, libc::SYS_execve, libc::SYS_memfd_create, libc::SYS_pidfd_open, libc::SYS_kill]
        {
            assert_eq!(here(call, [0, 0]), allow, "{call}");
        }
        assert_eq!(here(libc::SYS_clone3, [0, 0]), fail(libc::ENOSYS));
        assert_eq!(here(libc::SYS_clone, [libc::SIGCHLD as u32, 0]), allow);
        assert_eq!(here(libc::SYS_clone, [libc::CLONE_NEWUSER as u32, 0]), eperm);
        assert_eq!(here(libc::SYS_clone, [libc::CLONE_NEWNS as u32 | 17, 0]), eperm);
        for call in [libc::SYS_socket, libc::SYS_socketpair] {
            for &family in FAMILIES {
                assert_eq!(here(call, [family as u32, 0]), allow, "{family}");
            }
            for family in [0, libc::AF_VSOCK, libc::AF_ALG, libc::AF_PACKET, 3] {
                assert_eq!(here(call, [family as u32, 0]), fail(libc::EAFNOSUPPORT), "{family}");
            }
        }
        assert_eq!(here(libc::SYS_ioctl, [0, 0x5412]), eperm);
        assert_eq!(here(libc::SYS_ioctl, [0, 0x541C]), eperm);
        assert_eq!(here(libc::SYS_ioctl, [0, 0x5413]), allow);
        assert_eq!(here(libc::SYS_read | 0x4000_0000, [0, 0]), eperm);
        assert_eq!(verdict(0x4000_0003, libc::SYS_read, [0, 0]), KILL);
    }

    #[test]
    fn the_bytes_are_those_of_the_program() {
        let (program, bytes) = (program(), bytes());
        assert_eq!(bytes.len(), program.len() * size_of::<sock_filter>());
        assert_eq!(size_of::<sock_filter>(), 8);
        assert_eq!(bytes[4..8], MACHINE.to_ne_bytes());
    }
}
