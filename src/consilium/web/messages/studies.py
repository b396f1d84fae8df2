"""What can be wrong with a study and its course (`alliance.joint_training`). Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "joint training needs NVIDIA FLARE": "联合训练需要 NVIDIA FLARE",
    "Install it: pip install 'consilium[joint]'.": "请安装：pip install 'consilium[joint]'。",
    "{} hospital(s) came, {} are needed": "已有 {0} 家医院加入，需要 {1} 家",
    "Start their clients (`consilium study site`), then `consilium study resume`.":
        "请启动各医院的客户端（`consilium study site`），然后执行 `consilium study resume`。",
    "it was stopped": "已停止",
    "`consilium study resume` goes on from here.": "命令 `consilium study resume` 可从此处继续。",
    "it takes longer than was allowed": "超出允许的时间",
    "`consilium study status` tells how far it is, `resume` goes on.":
        "命令 `consilium study status` 可查看进度，`resume` 可继续。",
    "the server of the study cannot be reached ({})": "无法连接研究的服务器（{0}）",
    "`consilium study resume` starts it.": "命令 `consilium study resume` 可启动服务器。",
    "the sums of the study are damaged ({})": "研究的汇总值已损坏（{0}）",
    "Start the study anew.": "请重新开始该研究。",
    "a sum of {} numbers came where {} were expected": "收到 {0} 个数的汇总值，应为 {1} 个",
    "a piece of a sum is no ciphertext of this study ({})": "汇总值中有一部分不是本次研究的密文（{0}）",
    "the start-up kit has no key for encryption": "启动包中没有加密密钥",
    "sums under encryption need TenSEAL": "加密汇总需要 TenSEAL",
    "the server of NVIDIA FLARE did not start": "NVIDIA FLARE 服务器未启动",
    "See {}.": "参见 {0}。",
    "who was invited is damaged": "邀请记录已损坏",
    "NVIDIA FLARE made no start-up kits": "NVIDIA FLARE 未生成启动包",
    "there are no public figures of this encoder's features": "没有该编码器特征的公开统计值",
    "Differential privacy needs the encoder that comes with Consilium, looking as `specialist fit` does.":
        "差分隐私须使用 Consilium 随附的编码器，且读取方式与 `specialist fit` 一致。",
    "there is a study {} already": "已有研究 {0}",
    "Give it another id.": "请使用其他代号。",
    "there is no study {}": "没有研究 {0}",
    "`consilium study status` names those of your hospital.": "命令 `consilium study status` 可列出本院的研究。",
    "the study is damaged": "研究的记录已损坏",
    "the state of the study is damaged": "研究的状态记录已损坏",
    "Bring back a copy of the file.": "请恢复该文件的副本。",
    "{} was invited to join from an installation of its own": "{0} 受邀从其自己的系统加入",
    "It joins there, with the file of `consilium study invite`.":
        "请在其系统上用 `consilium study invite` 生成的文件加入。",
    "the study is another than the one that was joined": "该研究与所加入的不同",
    "Join again, and look at what has changed.": "请查看变更内容后重新加入。",
    "{} has joined on this installation": "{0} 已在本系统加入",
    "Nothing more is needed of it but its approval.": "只需其批准。",
    "{} hospital(s) have approved, {} are needed": "已有 {0} 家医院批准，需要 {1} 家",
    "Their data officers do that: `consilium study approve`.": "由各医院的数据官批准：`consilium study approve`。",
    "the study does not ask {}": "该研究未邀请 {0}",
    "It asks {}.": "受邀医院：{0}。",
    "the study is {}: who takes part is settled": "该研究{0}，参加医院已确定",
    "Make a new study.": "请新建研究。",
    "the study has no result yet": "该研究尚无结果",
    "`consilium study status` tells why.": "原因见命令 `consilium study status`。",
    "the result is damaged ({})": "结果已损坏（{0}）",
    "Start it anew.": "请重新开始。",
    "{} cannot be the server's machine": "{0} 不能作为服务器地址",
    "Give a name or an IPv4 address that the hospitals reach, or localhost.":
        "请填写各医院可访问的名称或 IPv4 地址，或 localhost。",
    "{} cannot be its port": "{0} 不能作为端口",
    "Take one of 1024 to 65535.": "应为 1024 至 65535。",
    "host and port of the server are not told": "未注明服务器的地址和端口",
    "where the server listens is damaged": "服务器地址记录已损坏",
    "Under encryption nobody can tell whose answer spoilt a sum. Make the study anew in the clear, or without a "
    "hospital that is not trusted.":
        "加密时无法判断是哪家医院的回复使汇总值出错。请以不加密方式重新开始研究，或不邀请不可信的医院。",
    "it does not describe a study ({})": "所描述的不是研究（{0}）",
    "`consilium study create` writes one.": "命令 `consilium study create` 可生成。",
    "{} cannot be the id of a study": "{0} 不能作为研究的代号",
    "a study needs two hospitals at least, each once": "研究至少需要两家医院，且不能重复",
    "two classes at least, each once": "至少需要两个类别，且不能重复",
    "least_hospitals must lie between 2 and their number": "least_hospitals 应在 2 与医院数之间",
    "rounds must lie between 1 and 1000": "rounds 应在 1 与 1000 之间",
    "strengths must be one to eight positive numbers": "strengths 应为 1 至 8 个正数",
    "epsilon must be positive, delta between 0 and 0.1": "epsilon 应为正数，delta 应在 0 与 0.1 之间",
    "there is no contribution {}": "没有贡献度计算方式 {0}",
    "the Shapley value is for {} hospitals at most; more have leave_one_out":
        "Shapley 值最多用于 {0} 家医院；更多时请使用 leave_one_out",
    "held_out must lie between 0.05 and 0.5": "held_out 应在 0.05 与 0.5 之间",
    "numbers of cases must be positive and in order": "病例数应为正数，且下限不大于上限",
    "a hospital keeps one case for the test at least": "每家医院至少保留一个测试病例",
    "features need dimensions and sizes": "须注明特征的维数和图像大小",
    "seconds must be positive": "秒数应为正数",
    "under differential privacy each further head would cost patients more: contribution must be none":
        "使用差分隐私时，每增加一个分类头都会增加患者的隐私开销：contribution 须为 none",
    "See docs/how-to/train-together.md.": "参见 docs/how-to/train-together.md。",
    "there is no study {} of {}": "没有 {1} 的研究 {0}",
    "Ask its lead to take you in.": "请向牵头医院申请加入。",
    "differential privacy needs public figures of the features, and there are none for this encoder":
        "差分隐私需要特征的公开统计值，而该编码器没有",
    "Take the encoder that comes with Consilium, in a size it has figures of.":
        "请使用 Consilium 随附的编码器，并选择有统计值的图像大小。",
    "the sum of {} {} is broken": "{0}（第 {1} 轮）的汇总值有误",
    "A hospital sent what cannot be added; the study stops before it does harm.":
        "有医院发送了无法汇总的内容；为避免损害，研究已停止。",
}  # fmt: skip
