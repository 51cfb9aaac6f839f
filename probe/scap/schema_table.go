// SPDX-License-Identifier: Apache-2.0

package scap

// schemaText has a line for each type of event that a capture may hold: its number, > for the beginning of a call or < for its end
// (a tracepoint has but one), name, and parameters in the order in which they are stored. Later versions only ever append parameters;
// events of a type that was replaced keep its number for ever. ! marks those whose lengths have 32 bits.
const schemaText = `
0 > syscall ID:SYSCALLID nativeID:UINT16
1 < syscall ID:SYSCALLID nativeID:UINT16
2 > open name:FSPATH flags:FLAGS32 mode:UINT32
3 < open fd:FD name:FSPATH flags:FLAGS32 mode:UINT32 dev:UINT32 ino:UINT64
4 > close fd:FD
5 < close res:ERRNO fd:FD
6 > read fd:FD size:UINT32
7 < read res:ERRNO data:BYTEBUF fd:FD size:UINT32
8 > write fd:FD size:UINT32
9 < write res:ERRNO data:BYTEBUF fd:FD size:UINT32
10 > brk size:UINT32
11 < brk res:UINT64
12 > execve
13 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64
14 > clone
15 < clone res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 flags:FLAGS32 uid:UINT32 gid:UINT32
16 > procexit
18 > socket domain:ENUMFLAGS32 type:UINT32 proto:UINT32
19 < socket fd:FD domain:ENUMFLAGS32 type:UINT32 proto:UINT32 flags:FLAGS32
20 > bind fd:FD
21 < bind res:ERRNO addr:SOCKADDR fd:FD
22 > connect fd:FD addr:SOCKADDR
23 < connect res:ERRNO tuple:SOCKTUPLE fd:FD addr:SOCKADDR
24 > listen fd:FD backlog:INT32
25 < listen res:ERRNO fd:FD backlog:INT32
26 > accept
27 < accept fd:FD tuple:SOCKTUPLE queuepct:UINT8
28 > send fd:FD size:UINT32
29 < send res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE
30 > sendto fd:FD size:UINT32 tuple:SOCKTUPLE
31 < sendto res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE
32 > recv fd:FD size:UINT32
33 < recv res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE
34 > recvfrom fd:FD size:UINT32
35 < recvfrom res:ERRNO data:BYTEBUF tuple:SOCKTUPLE fd:FD size:UINT32
36 > shutdown fd:FD how:ENUMFLAGS8
37 < shutdown res:ERRNO fd:FD how:ENUMFLAGS8
38 > getsockname
39 < getsockname
40 > getpeername
41 < getpeername
42 > socketpair domain:ENUMFLAGS32 type:UINT32 proto:UINT32
43 < socketpair res:ERRNO fd1:FD fd2:FD source:UINT64 peer:UINT64 domain:ENUMFLAGS32 type:UINT32 proto:UINT32
44 > setsockopt
45 < setsockopt res:ERRNO fd:FD level:ENUMFLAGS8 optname:ENUMFLAGS8 val:DYNAMIC optlen:UINT32
46 > getsockopt
47 < getsockopt res:ERRNO fd:FD level:ENUMFLAGS8 optname:ENUMFLAGS8 val:DYNAMIC optlen:UINT32
48 > sendmsg fd:FD size:UINT32 tuple:SOCKTUPLE
49 < sendmsg res:ERRNO data:BYTEBUF fd:FD size:UINT32 tuple:SOCKTUPLE
50 > sendmmsg
51 < sendmmsg res:ERRNO fd:FD size:UINT32 data:BYTEBUF tuple:SOCKTUPLE
52 > recvmsg fd:FD
53 < recvmsg res:ERRNO size:UINT32 data:BYTEBUF tuple:SOCKTUPLE msgcontrol:BYTEBUF fd:FD
54 > recvmmsg
55 < recvmmsg res:ERRNO fd:FD size:UINT32 data:BYTEBUF tuple:SOCKTUPLE msgcontrol:BYTEBUF
56 > accept flags:INT32
57 < accept fd:FD tuple:SOCKTUPLE queuepct:UINT8
58 > creat name:FSPATH mode:UINT32
59 < creat fd:FD name:FSPATH mode:UINT32 dev:UINT32 ino:UINT64 creat_flags:FLAGS16
60 > pipe
61 < pipe res:ERRNO fd1:FD fd2:FD ino:UINT64
62 > eventfd initval:UINT64 flags:UINT32
63 < eventfd res:FD initval:UINT64 flags:UINT32
64 > futex addr:UINT64 op:FLAGS16 val:UINT64
65 < futex res:ERRNO addr:UINT64 op:FLAGS16 val:UINT64
66 > stat
67 < stat res:ERRNO path:FSPATH
68 > lstat
69 < lstat res:ERRNO path:FSPATH
70 > fstat fd:FD
71 < fstat res:ERRNO fd:FD
72 > stat64
73 < stat64 res:ERRNO path:FSPATH
74 > lstat64
75 < lstat64 res:ERRNO path:FSPATH
76 > fstat64 fd:FD
77 < fstat64 res:ERRNO
78 > epoll_wait maxevents:ERRNO
79 < epoll_wait res:ERRNO maxevents:ERRNO
80 > poll fds:FDLIST timeout:INT64
81 < poll res:ERRNO fds:FDLIST timeout:INT64
82 > select
83 < select res:ERRNO
84 > select
85 < select res:ERRNO
86 > lseek fd:FD offset:UINT64 whence:ENUMFLAGS8
87 < lseek res:ERRNO fd:FD offset:UINT64 whence:ENUMFLAGS8
88 > llseek fd:FD offset:UINT64 whence:ENUMFLAGS8
89 < llseek res:ERRNO fd:FD offset:UINT64 whence:ENUMFLAGS8
90 > ioctl fd:FD request:UINT64
91 < ioctl res:ERRNO
92 > getcwd
93 < getcwd res:ERRNO path:CHARBUF
94 > chdir
95 < chdir res:ERRNO path:CHARBUF
96 > fchdir fd:FD
97 < fchdir res:ERRNO fd:FD
98 > mkdir path:FSPATH mode:UINT32
99 < mkdir res:ERRNO
100 > rmdir path:FSPATH
101 < rmdir res:ERRNO
102 > openat dirfd:FD name:CHARBUF flags:FLAGS32 mode:UINT32
103 < openat fd:FD
104 > link oldpath:FSPATH newpath:FSPATH
105 < link res:ERRNO
106 > linkat olddir:FD oldpath:CHARBUF newdir:FD newpath:CHARBUF
107 < linkat res:ERRNO
108 > unlink path:FSPATH
109 < unlink res:ERRNO
110 > unlinkat dirfd:FD name:CHARBUF
111 < unlinkat res:ERRNO
112 > pread fd:FD size:UINT32 pos:UINT64
113 < pread res:ERRNO data:BYTEBUF fd:FD size:UINT32 pos:UINT64
114 > pwrite fd:FD size:UINT32 pos:UINT64
115 < pwrite res:ERRNO data:BYTEBUF fd:FD size:UINT32 pos:UINT64
116 > readv fd:FD
117 < readv res:ERRNO size:UINT32 data:BYTEBUF fd:FD
118 > writev fd:FD size:UINT32
119 < writev res:ERRNO data:BYTEBUF fd:FD size:UINT32
120 > preadv fd:FD pos:UINT64
121 < preadv res:ERRNO size:UINT32 data:BYTEBUF fd:FD pos:UINT64
122 > pwritev fd:FD size:UINT32 pos:UINT64
123 < pwritev res:ERRNO data:BYTEBUF fd:FD size:UINT32 pos:UINT64
124 > dup fd:FD
125 < dup res:FD
126 > signalfd fd:FD mask:UINT32 flags:UINT8
127 < signalfd res:FD fd:FD mask:UINT32 flags:UINT8
128 > kill pid:PID sig:SIGTYPE
129 < kill res:ERRNO pid:PID sig:SIGTYPE
130 > tkill tid:PID sig:SIGTYPE
131 < tkill res:ERRNO tid:PID sig:SIGTYPE
132 > tgkill pid:PID tid:PID sig:SIGTYPE
133 < tgkill res:ERRNO pid:PID tid:PID sig:SIGTYPE
134 > nanosleep interval:RELTIME
135 < nanosleep res:ERRNO interval:RELTIME
136 > timerfd_create clockid:UINT8 flags:UINT8
137 < timerfd_create res:FD clockid:UINT8 flags:UINT8
138 > inotify_init flags:UINT8
139 < inotify_init res:FD flags:UINT8
140 > getrlimit resource:ENUMFLAGS8
141 < getrlimit res:ERRNO cur:INT64 max:INT64 resource:ENUMFLAGS8
142 > setrlimit resource:ENUMFLAGS8
143 < setrlimit res:ERRNO cur:INT64 max:INT64 resource:ENUMFLAGS8
144 > prlimit pid:PID resource:ENUMFLAGS8
145 < prlimit res:ERRNO newcur:INT64 newmax:INT64 oldcur:INT64 oldmax:INT64 pid:INT64 resource:ENUMFLAGS8
146 > switch next:PID
148 > drop ratio:UINT32
149 < drop ratio:UINT32
150 > fcntl fd:FD cmd:ENUMFLAGS8
151 < fcntl res:FD fd:FD cmd:ENUMFLAGS8 arg:UINT64
152 > switch next:PID pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32
154 > execve
155 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32
156 > clone
157 < clone res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 flags:FLAGS32 uid:UINT32 gid:UINT32
158 > brk addr:UINT64
159 < brk res:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 addr:UINT64
160 > mmap addr:UINT64 length:UINT64 prot:FLAGS32 flags:FLAGS32 fd:FD offset:UINT64
161 < mmap res:ERRNO vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 addr:UINT64 length:UINT64 prot:FLAGS32 flags:FLAGS32 fd:FD offset:UINT64
162 > mmap2 addr:UINT64 length:UINT64 prot:FLAGS32 flags:FLAGS32 fd:FD pgoffset:UINT64
163 < mmap2 res:ERRNO vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 addr:UINT64 length:UINT64 prot:FLAGS32 flags:FLAGS32 fd:FD pgoffset:UINT64
164 > munmap addr:UINT64 length:UINT64
165 < munmap res:ERRNO vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 addr:UINT64 length:UINT64
166 > splice fd_in:FD fd_out:FD size:UINT64 flags:FLAGS32
167 < splice res:ERRNO fd_in:FD fd_out:FD size:UINT64 flags:FLAGS32
168 > ptrace request:ENUMFLAGS16 pid:PID
169 < ptrace res:ERRNO addr:DYNAMIC data:DYNAMIC request:ENUMFLAGS16 pid:PID
170 > ioctl fd:FD request:UINT64 argument:UINT64
171 < ioctl res:ERRNO fd:FD request:UINT64 argument:UINT64
172 > execve
173 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 env:BYTEBUF
174 > rename
175 < rename res:ERRNO oldpath:FSPATH newpath:FSPATH
176 > renameat
177 < renameat res:ERRNO olddirfd:FD oldpath:FSRELPATH newdirfd:FD newpath:FSRELPATH
178 > symlink
179 < symlink res:ERRNO target:CHARBUF linkpath:FSPATH
180 > symlinkat
181 < symlinkat res:ERRNO target:CHARBUF linkdirfd:FD linkpath:FSRELPATH
182 > fork
183 < fork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 flags:FLAGS32 uid:UINT32 gid:UINT32
184 > vfork
185 < vfork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 flags:FLAGS32 uid:UINT32 gid:UINT32
186 > procexit status:ERRNO ret:ERRNO sig:SIGTYPE core:UINT8 reaper_tid:PID
188 > sendfile out_fd:FD in_fd:FD offset:UINT64 size:UINT64
189 < sendfile res:ERRNO offset:UINT64 out_fd:FD in_fd:FD size:UINT64
190 > quotactl cmd:FLAGS16 type:FLAGS8 id:UINT32 quota_fmt:FLAGS8
191 < quotactl res:ERRNO special:CHARBUF quotafilepath:CHARBUF dqb_bhardlimit:UINT64 dqb_bsoftlimit:UINT64 dqb_curspace:UINT64 dqb_ihardlimit:UINT64 dqb_isoftlimit:UINT64 dqb_btime:RELTIME dqb_itime:RELTIME dqi_bgrace:RELTIME dqi_igrace:RELTIME dqi_flags:FLAGS8 quota_fmt_out:FLAGS8 cmd:FLAGS16 type:FLAGS8 id:UINT32 quota_fmt:FLAGS8
192 > setresuid ruid:UID euid:UID suid:UID
193 < setresuid res:ERRNO ruid:UID euid:UID suid:UID
194 > setresgid rgid:GID egid:GID sgid:GID
195 < setresgid res:ERRNO rgid:GID egid:GID sgid:GID
196 > scapevent event_type:UINT32 event_data:UINT64
197 < scapevent
198 > setuid uid:UID
199 < setuid res:ERRNO uid:UID
200 > setgid gid:GID
201 < setgid res:ERRNO gid:GID
202 > getuid
203 < getuid uid:UID
204 > geteuid
205 < geteuid euid:UID
206 > getgid
207 < getgid gid:GID
208 > getegid
209 < getegid egid:GID
210 > getresuid
211 < getresuid res:ERRNO ruid:UID euid:UID suid:UID
212 > getresgid
213 < getresgid res:ERRNO rgid:GID egid:GID sgid:GID
214 > execve
215 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF env:BYTEBUF
216 > clone
217 < clone res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF flags:FLAGS32 uid:UINT32 gid:UINT32
218 > fork
219 < fork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF flags:FLAGS32 uid:UINT32 gid:UINT32
220 > vfork
221 < vfork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF flags:FLAGS32 uid:UINT32 gid:UINT32
222 > clone
223 < clone res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32 uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64
224 > fork
225 < fork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32 uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64
226 > vfork
227 < vfork res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32 uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64
228 > container id:CHARBUF type:UINT32 name:CHARBUF image:CHARBUF
230 > execve
231 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF
232 > signaldeliver spid:PID dpid:PID sig:SIGTYPE
234 > procinfo cpu_usr:UINT64 cpu_sys:UINT64
236 > getdents fd:FD
237 < getdents res:ERRNO fd:FD
238 > getdents64 fd:FD
239 < getdents64 res:ERRNO fd:FD
240 > setns fd:FD nstype:FLAGS32
241 < setns res:ERRNO fd:FD nstype:FLAGS32
242 > flock fd:FD operation:FLAGS32
243 < flock res:ERRNO fd:FD operation:FLAGS32
244 > cpu_hotplug cpu:UINT32 action:UINT32
246 > accept
247 < accept fd:FD tuple:SOCKTUPLE queuepct:UINT8 queuelen:UINT32 queuemax:UINT32
248 > accept flags:INT32
249 < accept fd:FD tuple:SOCKTUPLE queuepct:UINT8 queuelen:UINT32 queuemax:UINT32
250 > semop semid:INT32
251 < semop res:ERRNO nsops:UINT32 sem_num_0:UINT16 sem_op_0:INT16 sem_flg_0:FLAGS16 sem_num_1:UINT16 sem_op_1:INT16 sem_flg_1:FLAGS16 semid:INT32
252 > semctl semid:INT32 semnum:INT32 cmd:FLAGS16 val:INT32
253 < semctl res:ERRNO semid:INT32 semnum:INT32 cmd:FLAGS16 val:INT32
254 > ppoll fds:FDLIST timeout:RELTIME sigmask:SIGSET
255 < ppoll res:ERRNO fds:FDLIST timeout:RELTIME sigmask:SIGSET
256 > mount flags:FLAGS32
257 < mount res:ERRNO dev:CHARBUF dir:FSPATH type:CHARBUF flags:FLAGS32
258 > umount flags:FLAGS32
259 < umount res:ERRNO name:FSPATH
260 > k8s json:CHARBUF
262 > semget key:INT32 nsems:INT32 semflg:FLAGS32
263 < semget res:ERRNO key:INT32 nsems:INT32 semflg:FLAGS32
264 > access mode:FLAGS32
265 < access res:ERRNO name:FSPATH mode:FLAGS32
266 > chroot
267 < chroot res:ERRNO path:FSPATH
268 > tracer id:INT64 tags:CHARBUFARRAY args:CHARBUF_PAIR_ARRAY
269 < tracer id:INT64 tags:CHARBUFARRAY args:CHARBUF_PAIR_ARRAY
270 > mesos json:CHARBUF
272 > container json:CHARBUF
274 > setsid
275 < setsid res:PID
276 > mkdir mode:UINT32
277 < mkdir res:ERRNO path:FSPATH mode:UINT32
278 > rmdir
279 < rmdir res:ERRNO path:FSPATH
280 > notification id:CHARBUF desc:CHARBUF
282 > execve
283 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:INT32
284 > unshare flags:FLAGS32
285 < unshare res:ERRNO flags:FLAGS32
286 > infra source:CHARBUF name:CHARBUF description:CHARBUF scope:CHARBUF
288 > execve filename:FSPATH
289 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:INT32
290 > page_fault addr:UINT64 ip:UINT64 error:FLAGS32
292 > execve filename:FSPATH
293 < execve res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:UINT32 vpgid:PID loginuid:UID flags:FLAGS32 cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64 exe_ino:UINT64 exe_ino_ctime:ABSTIME exe_ino_mtime:ABSTIME uid:UID trusted_exepath:FSPATH pgid:PID gid:GID filename:FSPATH
294 > setpgid pid:PID pgid:PID
295 < setpgid res:ERRNO pid:PID pgid:PID
296 > bpf cmd:INT64
297 < bpf res_or_fd:DYNAMIC
298 > seccomp op:UINT64 flags:UINT64
299 < seccomp res:ERRNO op:UINT64 flags:UINT64
300 > unlink
301 < unlink res:ERRNO path:FSPATH
302 > unlinkat
303 < unlinkat res:ERRNO dirfd:FD name:FSRELPATH flags:FLAGS32
304 > mkdirat
305 < mkdirat res:ERRNO dirfd:FD path:FSRELPATH mode:UINT32
306 > openat dirfd:FD name:FSRELPATH flags:FLAGS32 mode:UINT32
307 < openat fd:FD dirfd:FD name:FSRELPATH flags:FLAGS32 mode:UINT32 dev:UINT32 ino:UINT64
308 > link
309 < link res:ERRNO oldpath:FSPATH newpath:FSPATH
310 > linkat
311 < linkat res:ERRNO olddir:FD oldpath:FSRELPATH newdir:FD newpath:FSRELPATH flags:FLAGS32
312 > fchmodat
313 < fchmodat res:ERRNO dirfd:FD filename:FSRELPATH mode:MODE
314 > chmod
315 < chmod res:ERRNO filename:FSPATH mode:MODE
316 > fchmod
317 < fchmod res:ERRNO fd:FD mode:MODE
318 > renameat2
319 < renameat2 res:ERRNO olddirfd:FD oldpath:FSRELPATH newdirfd:FD newpath:FSRELPATH flags:FLAGS32
320 > userfaultfd
321 < userfaultfd res:ERRNO flags:FLAGS32
322 >! pluginevent plugin_id:UINT32 event_data:BYTEBUF
324 >! container json:CHARBUF
326 > openat2 dirfd:FD name:FSRELPATH flags:FLAGS32 mode:UINT32 resolve:FLAGS32
327 < openat2 fd:FD dirfd:FD name:FSRELPATH flags:FLAGS32 mode:UINT32 resolve:FLAGS32 dev:UINT32 ino:UINT64
328 > mprotect addr:UINT64 length:UINT64 prot:FLAGS32
329 < mprotect res:ERRNO addr:UINT64 length:UINT64 prot:FLAGS32
330 > execveat dirfd:FD pathname:FSRELPATH flags:FLAGS32
331 < execveat res:ERRNO exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:UINT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF env:BYTEBUF tty:UINT32 vpgid:PID loginuid:UID flags:FLAGS32 cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64 exe_ino:UINT64 exe_ino_ctime:ABSTIME exe_ino_mtime:ABSTIME uid:UID trusted_exepath:FSPATH pgid:PID gid:GID
332 > copy_file_range fdin:FD offin:UINT64 len:UINT64
333 < copy_file_range res:ERRNO fdout:FD offout:UINT64 fdin:FD offin:UINT64 len:UINT64
334 > clone3
335 < clone3 res:PID exe:CHARBUF args:BYTEBUF tid:PID pid:PID ptid:PID cwd:CHARBUF fdlimit:INT64 pgft_maj:UINT64 pgft_min:UINT64 vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 comm:CHARBUF cgroups:BYTEBUF flags:FLAGS32 uid:UINT32 gid:UINT32 vtid:PID vpid:PID pidns_init_start_ts:UINT64
336 > open_by_handle_at
337 < open_by_handle_at fd:FD mountfd:FD flags:FLAGS32 path:FSPATH dev:UINT32 ino:UINT64
338 > io_uring_setup
339 < io_uring_setup res:ERRNO entries:UINT32 sq_entries:UINT32 cq_entries:UINT32 flags:FLAGS32 sq_thread_cpu:UINT32 sq_thread_idle:UINT32 features:FLAGS32
340 > io_uring_enter
341 < io_uring_enter res:ERRNO fd:FD to_submit:UINT32 min_complete:UINT32 flags:FLAGS32 sig:SIGSET
342 > io_uring_register
343 < io_uring_register res:ERRNO fd:FD opcode:ENUMFLAGS16 arg:UINT64 nr_args:UINT32
344 > mlock
345 < mlock res:ERRNO addr:UINT64 len:UINT64
346 > munlock
347 < munlock res:ERRNO addr:UINT64 len:UINT64
348 > mlockall
349 < mlockall res:ERRNO flags:FLAGS32
350 > munlockall
351 < munlockall res:ERRNO
352 > capset
353 < capset res:ERRNO cap_inheritable:UINT64 cap_permitted:UINT64 cap_effective:UINT64
354 > useradded uid:UINT32 gid:UINT32 name:CHARBUF home:CHARBUF shell:CHARBUF container_id:CHARBUF
356 > userdeleted uid:UINT32 gid:UINT32 name:CHARBUF home:CHARBUF shell:CHARBUF container_id:CHARBUF
358 > groupadded gid:UINT32 name:CHARBUF container_id:CHARBUF
360 > groupdeleted gid:UINT32 name:CHARBUF container_id:CHARBUF
362 > dup2 fd:FD
363 < dup2 res:FD oldfd:FD newfd:FD
364 > dup3 fd:FD
365 < dup3 res:FD oldfd:FD newfd:FD flags:FLAGS32
366 > dup fd:FD
367 < dup res:FD oldfd:FD
368 > bpf cmd:INT64
369 < bpf fd:FD cmd:ENUMFLAGS32
370 > mlock2
371 < mlock2 res:ERRNO addr:UINT64 len:UINT64 flags:FLAGS32
372 > fsconfig
373 < fsconfig res:ERRNO fd:FD cmd:ENUMFLAGS32 key:CHARBUF value_bytebuf:BYTEBUF value_charbuf:CHARBUF aux:INT32
374 > epoll_create size:INT32
375 < epoll_create res:ERRNO size:INT32
376 > epoll_create1 flags:FLAGS32
377 < epoll_create1 res:ERRNO flags:FLAGS32
378 > chown
379 < chown res:ERRNO path:FSPATH uid:UINT32 gid:UINT32
380 > lchown
381 < lchown res:ERRNO path:FSPATH uid:UINT32 gid:UINT32
382 > fchown
383 < fchown res:ERRNO fd:FD uid:UINT32 gid:UINT32
384 > fchownat
385 < fchownat res:ERRNO dirfd:FD pathname:FSRELPATH uid:UINT32 gid:UINT32 flags:FLAGS32
386 > umount
387 < umount res:ERRNO name:FSPATH
388 > accept4 flags:INT32
389 < accept4 fd:FD tuple:SOCKTUPLE queuepct:UINT8 queuelen:UINT32 queuemax:UINT32 flags:INT32
390 > umount2 flags:FLAGS32
391 < umount2 res:ERRNO name:FSPATH flags:FLAGS32
392 > pipe2
393 < pipe2 res:ERRNO fd1:FD fd2:FD ino:UINT64 flags:FLAGS32
394 > inotify_init1
395 < inotify_init1 res:FD flags:FLAGS16
396 > eventfd2 initval:UINT64
397 < eventfd2 res:FD flags:FLAGS16 initval:UINT64
398 > signalfd4 fd:FD mask:UINT32
399 < signalfd4 res:FD flags:FLAGS16 fd:FD mask:UINT32
400 > prctl
401 < prctl res:ERRNO option:ENUMFLAGS32 arg2_str:CHARBUF arg2_int:INT64
402 >! asyncevent plugin_id:UINT32 name:CHARBUF data:BYTEBUF
404 > memfd_create
405 < memfd_create fd:FD name:CHARBUF flags:FLAGS32
406 > pidfd_getfd
407 < pidfd_getfd fd:FD pid_fd:FD target_fd:FD flags:UINT32
408 > pidfd_open
409 < pidfd_open fd:FD pid:PID flags:FLAGS32
410 > init_module
411 < init_module res:ERRNO img:BYTEBUF length:UINT64 uargs:CHARBUF
412 > finit_module
413 < finit_module res:ERRNO fd:FD uargs:CHARBUF flags:FLAGS32
414 > mknod
415 < mknod res:ERRNO path:FSPATH mode:MODE dev:UINT32
416 > mknodat
417 < mknodat res:ERRNO dirfd:FD path:FSRELPATH mode:MODE dev:UINT32
418 > newfstatat
419 < newfstatat res:ERRNO dirfd:FD path:FSRELPATH flags:FLAGS32
420 > process_vm_readv
421 < process_vm_readv res:INT64 pid:PID data:BYTEBUF
422 > process_vm_writev
423 < process_vm_writev res:INT64 pid:PID data:BYTEBUF
424 > delete_module
425 < delete_module res:ERRNO name:CHARBUF flags:FLAGS32
426 > setreuid
427 < setreuid res:ERRNO ruid:UID euid:UID
428 > setregid
429 < setregid res:ERRNO rgid:UID egid:UID
430 > task ppid:PID32 pgid:PID32 vpgid:PID32 sid:PID32 comm:CHARBUF argv:CHARBUFARRAY exepath:FSPATH flags:FLAGS32 env:CHARBUFARRAY cwd:CHARBUF fdlimit:UINT64 euid:UID egid:GID cap_permitted:UINT64 cap_effective:UINT64 cap_inheritable:UINT64 exe_ino_num:UINT64 exe_ino_ctime:ABSTIME exe_ino_mtime:ABSTIME vm_size:UINT32 vm_rss:UINT32 vm_swap:UINT32 pgft_maj:UINT64 pgft_min:UINT64 vtgid:PID32 vpid:PID32 pidns_init_start_ts:UINT64 cgroups:CHARBUFARRAY root:FSPATH start_time:ABSTIME tty:UINT32 loginuid:UID
432 > task_file_pipe fd:FD32 path:FSPATH ino_num:UINT64
434 > task_file_memfd fd:FD32 path:FSPATH ino_num:UINT64
436 > task_file_regular fd:FD32 path:FSPATH flags:FLAGS32 mnt_id:UINT32 ino_num:UINT64
438 > task_file_directory fd:FD32 path:FSPATH ino_num:UINT64
440 > task_file_socket_inet fd:FD32 sk_type:UINT16 sk_proto:UINT16 local_ip:IPV4ADDR local_port:PORT remote_ip:IPV4ADDR remote_port:PORT ino_num:UINT64
442 > task_file_socket_inet6 fd:FD32 sk_type:UINT16 sk_proto:UINT16 local_ip:IPV6ADDR local_port:PORT remote_ip:IPV6ADDR remote_port:PORT ino_num:UINT64
444 > task_file_socket_unix fd:FD32 sk_type:UINT16 sk_proto:UINT16 sk_pointer:UINT64 sun_path:FSPATH ino_num:UINT64
446 > task_file_socket_netlink fd:FD32 sk_type:UINT16 sk_proto:UINT16 ino_num:UINT64
448 > task_file_anon_inode fd:FD32 fd_type:FLAGS8 path:FSPATH ino_num:UINT64
451 < close_range res:ERRNO first:UINT32 last:UINT32 flags:FLAGS32
453 < keyctl res:ERRNO operation:ENUMFLAGS32 arg2:DYNAMIC arg3:DYNAMIC arg4:DYNAMIC arg5:DYNAMIC
`
