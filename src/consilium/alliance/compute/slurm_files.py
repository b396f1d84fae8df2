"""What the daemons of a private Slurm are told: its configuration files, written out.

The options follow from trying them on Slurm 22.05; where one is not plain, the reason stands beside it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The machines of a private cluster; all of them are pretended by one.

    Attributes:
        nodes: how many.
        cores: of each.
        memory_mb: of each, MiB.
        gpus: of each; places in the count, no real card.
        cloud: nodes that are only started when the others do not suffice.
    """

    nodes: int = 4
    cores: int = 8
    memory_mb: int = 8000
    gpus: int = 0
    cloud: int = 0

    def names(self) -> list[str]:
        """Names of the nodes that are always there."""
        return [f"n{number}" for number in range(1, self.nodes + 1)]

    def cloud_names(self) -> list[str]:
        """Names of the nodes that come and go."""
        return [f"c{number}" for number in range(1, self.cloud + 1)]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a private cluster lives.

    Attributes:
        home: its folder. host: short name of this machine. user: who owns all of it.
        ports: of the controller, the accounting daemon, then one a node.
    """

    home: Path
    host: str
    user: str
    ports: tuple[int, ...]


def slurm_conf(layout: Layout, place: Place) -> str:
    """The text of `slurm.conf`."""
    every = [*layout.names(), *layout.cloud_names()]
    described = [
        f"NodeName={name} NodeHostname={place.host} NodeAddr=127.0.0.1 Port={port} CPUs={layout.cores} Boards=1 "
        f"SocketsPerBoard=1 CoresPerSocket={layout.cores} ThreadsPerCore=1 RealMemory={layout.memory_mb}"
        + (f" Gres=gpu:{layout.gpus}" if layout.gpus else "")
        + (" State=CLOUD Weight=100" if name in layout.cloud_names() else " State=UNKNOWN Weight=1")
        for name, port in zip(every, place.ports[2:], strict=True)
    ]
    partitions = [f"PartitionName=alliance Nodes={','.join(layout.names())} Default=YES MaxTime=INFINITE State=UP"]
    if layout.cloud:
        # Only jobs that were sent there too start a node that costs money.
        partitions += [f"PartitionName=cloud Nodes={','.join(layout.cloud_names())} MaxTime=INFINITE State=UP"]
    gres = "GresTypes=gpu\nAccountingStorageTRES=gres/gpu" if layout.gpus else ""
    told = {
        **asdict(place), "nodes": "\n".join(described), "partitions": "\n".join(partitions), "gres": gres,
        "controller": place.ports[0], "accounting": place.ports[1], "elastic": _elastic(layout, place),
        "memory_per_core": layout.memory_mb // layout.cores,
    }  # fmt: skip
    return Template(_SLURM_CONF).substitute(told)


def slurmdbd_conf(place: Place) -> str:
    """The text of `slurmdbd.conf`."""
    return Template(_SLURMDBD_CONF).substitute({**asdict(place), "accounting": place.ports[1]})


def cgroup_conf(place: Place) -> str:
    """The text of `cgroup.conf`: it must be there, and nothing in it is used."""
    return f"CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nCgroupMountpoint={place.home}/nocgroup\n"


def gres_conf(layout: Layout, place: Place) -> str:
    """The text of `gres.conf`: plain files stand for cards. Without a file the count is zero."""
    if not layout.gpus:
        return ""
    names = ",".join([*layout.names(), *layout.cloud_names()])
    return f"NodeName={names} Name=gpu File={place.home}/dev/gpu[0-{layout.gpus - 1}]\n"


def resume_sh(place: Place, python: str) -> str:
    """The program that starts cloud nodes."""
    return Template(_RESUME_SH).substitute({"home": place.home, "python": python})


def suspend_sh(place: Place) -> str:
    """The program that ends cloud nodes."""
    return Template(_SUSPEND_SH).substitute({"home": place.home})


def _elastic(layout: Layout, place: Place) -> str:
    if not layout.cloud:
        return ""
    return Template(_ELASTIC).substitute({"home": place.home, "always": ",".join(layout.names())})


_SLURM_CONF = """\
ClusterName=alliance
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
# A job that gave its cores back waits as long as a credential lives before it starts again: two minutes by default.
AuthInfo=socket=$home/munge/munge.sock,cred_expire=5
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool/%n
SlurmctldPidFile=$home/run/slurmctld.pid
SlurmdPidFile=$home/run/slurmd-%n.pid
SlurmctldLogFile=$home/log/slurmctld.log
SlurmdLogFile=$home/log/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=20
# On loopback only; left to itself, Slurm listens everywhere.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
InactiveLimit=0
MinJobAge=10
MaxJobCount=50000
MaxArraySize=10001
KillWait=5
Waittime=0
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,bf_continue,default_queue_depth=1000,batch_sched_delay=0,sched_min_interval=100000,preempt_youngest_first,max_rpc_cnt=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
MaxMemPerCPU=$memory_per_core
JobRequeue=1
PriorityType=priority/multifactor
PriorityDecayHalfLife=7-0
PriorityCalcPeriod=1
PriorityWeightQOS=1000000
PriorityWeightFairshare=10000
PriorityWeightAge=1000
PriorityMaxAge=1-0
PreemptType=preempt/qos
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$accounting
# Not AuthInfo but this names the socket of munge for the accounting daemon.
AccountingStoragePass=$home/munge/munge.sock
AccountingStorageEnforce=associations,limits,qos
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
TreeWidth=65533
$gres
$elastic
$nodes
$partitions
"""

_ELASTIC = """\
SuspendProgram=$home/etc/suspend.sh
ResumeProgram=$home/etc/resume.sh
SuspendTime=15
SuspendTimeout=10
ResumeTimeout=60
SuspendRate=0
ResumeRate=0
SuspendExcNodes=$always
"""

_SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket=$home/munge/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$accounting
SlurmUser=$user
LogFile=$home/log/slurmdbd.log
PidFile=$home/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=$user
StorageLoc=slurm_acct
PrivateData=jobs,usage,users,accounts
CommunicationParameters=NoInAddrAny
"""

# The controller runs its programs without standard streams or a path, and with signals blocked: a daemon started from
# there hangs, or cannot be stopped. All three are put right.
_RESUME_SH = """\
#!/bin/bash
exec </dev/null >>$home/log/elastic.log 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin SLURM_CONF=$home/etc/slurm.conf
echo "$$(date +%s) resume $$1"
for node in $$(scontrol show hostnames "$$1"); do
  $python -c 'import os,signal,sys; signal.pthread_sigmask(signal.SIG_SETMASK,[]); os.setsid(); \
os.execvp("slurmd",["slurmd","-b","-N",sys.argv[1]])' "$$node"
done
"""

_SUSPEND_SH = """\
#!/bin/bash
exec </dev/null >>$home/log/elastic.log 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin SLURM_CONF=$home/etc/slurm.conf
echo "$$(date +%s) suspend $$1"
for node in $$(scontrol show hostnames "$$1"); do
  pid=$home/run/slurmd-$$node.pid
  [ -f "$$pid" ] && kill "$$(cat "$$pid")"
done
exit 0
"""
