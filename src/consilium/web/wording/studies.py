"""Words of joint studies."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "studies.what": (
        "Hospitals train one model together. No case leaves its hospital; sums over cases do.",
        "多家医院共同训练一个模型。病例不离开医院，只交换病例的汇总量。",
    ),
    "studies.without": (
        "Studies can be read and agreed on here; to train takes a part that is not installed:",
        "本机可查看和商定研究；训练所需的组件尚未安装：",
    ),
    "studies.id": ("Id", "编号"),
    "studies.disease": ("What it is about", "研究内容"),
    "studies.lead": ("Lead", "牵头医院"),
    "studies.joined": ("Joined", "已加入"),
    "studies.approved": ("Approved", "已批准"),
    "studies.draft": ("being agreed on", "商定中"),
    "studies.running": ("training", "训练中"),
    "studies.stopped": ("stopped", "已停止"),
    "studies.done": ("done", "已完成"),
    "studies.empty": ("Your hospital is in no study yet", "本院尚未参加任何研究"),
    "studies.empty_first": (
        (
            "A person with the role lead makes a study and asks hospitals; then each hospital brings its cases in, "
            "and its data officer approves. Others are invited by files: consilium study invite."
        ),
        (
            "由具有牵头（lead）角色的人员发起研究并邀请医院；各医院随后加入病例，由数据官批准。"
            "使用独立安装的医院通过邀请文件加入：consilium study invite。"
        ),
    ),
    "studies.new": ("Make a study", "发起研究"),
    "studies.labels": ("Classes in order, parted by commas", "类别（按顺序，用逗号分隔）"),
    "studies.hospitals": ("Hospitals that are asked", "受邀医院"),
    "studies.least_cases": ("Cases of a hospital, at least", "每院最少病例数"),
    "studies.rounds": ("Rounds, at most", "最多轮数"),
    "studies.encrypted": ("Sums are added under encryption", "在加密状态下求和"),
    "studies.epsilon": ("Epsilon of differential privacy; empty: none", "差分隐私 ε（留空则不使用）"),
    "studies.site_figures": (
        "Figures of single hospitals may be shown to the others",
        "允许向其他医院显示单个医院的指标",
    ),
    "studies.site_figures_short": ("Figures of hospitals", "单院指标"),
    "studies.shown": ("are shown to all", "向全体显示"),
    "studies.own_only": ("each sees its own", "仅显示本院"),
    "studies.settled": (
        "What it says is settled once it is made: every approval names its digest.",
        "发起后内容即固定：每次批准都绑定其摘要。",
    ),
    "studies.create": ("Make it", "发起"),
    "studies.alone": (
        "A study takes two hospitals. This installation knows fewer; its operator takes hospitals in:",
        "研究至少需要两家医院，而本机登记的不足两家。请由运营者添加：",
    ),
    "studies.result": ("What came of it", "结果"),
    "studies.result_caption": (
        "On the held-out cases of all hospitals, with 95 % intervals",
        "全体医院留出病例上的指标及 95 % 区间",
    ),
    "studies.accuracy": ("accuracy", "准确率"),
    "studies.contributions": ("What each hospital brought in (area under the curve)", "各医院的贡献（AUC）"),
    "studies.brought_in": ("brought in", "贡献"),
    "studies.site": ("Hospital", "医院"),
    "studies.shares": ("Shares of the hospitals", "各医院的份额"),
    "studies.alone_auc": ("AUC alone", "单独训练 AUC"),
    "studies.gap": ("gained by joining", "联合的增益"),
    "studies.cost": ("share of the common cost", "分摊成本"),
    "studies.you": ("you", "本院"),
    "studies.not_measured": ("not measured", "未测量"),
    "studies.to_publish": ("To write the model:", "导出模型："),
    "studies.progress": ("How far the training is", "训练进度"),
    "studies.answered": ("{n} questions were answered", "已完成 {n} 次问询"),
    "studies.asks": ("asking {question}", "正在问询 {question}"),
    "studies.last_took": ("the last took {s} s", "最近一次用时 {s} 秒"),
    "studies.there": ("there", "在线"),
    "studies.away": ("does not answer", "无应答"),
    "studies.refused": ("refused", "被拒绝"),
    "studies.vetoed": ("vetoed by its own policy", "被本院规则否决"),
    "studies.refusals": ("Answers that were refused", "被拒绝的应答"),
    "studies.agreed": ("What is agreed", "约定内容"),
    "studies.privacy": ("Privacy", "隐私保护"),
    "studies.contribution": ("Contribution", "贡献度量"),
    "studies.shapley": ("Shapley value", "Shapley 值"),
    "studies.leave_one_out": ("leave one out", "留一法"),
    "studies.digest": ("Digest", "摘要"),
    "studies.who": ("Who takes part", "参与方"),
    "studies.has_approved": ("approved", "已批准"),
    "studies.has_joined": ("joined; its data officer has not approved", "已加入，数据官未批准"),
    "studies.is_asked": ("asked", "受邀"),
    "studies.approve_means": (
        "The cases that your hospital brought in may be used for this study as it stands here, and for no other.",
        "本院加入的病例仅可用于此处所示的这项研究，不得用于其他研究。",
    ),
    "studies.approve": ("Approve as data officer", "以数据官身份批准"),
    "studies.bring": ("Bring cases in", "加入病例"),
    "studies.join": ("Read the cases and join", "读取病例并加入"),
    "studies.start": ("Start the training", "开始训练"),
    "studies.resume": ("Go on with the training", "继续训练"),
    "studies.stop": ("Stop the training", "停止训练"),
    "studies.not_ready": ("It can start when {n} hospitals have approved.", "有 {n} 家医院批准后即可开始。"),
    "studies.jobs": ("Jobs of this study", "本研究的作业"),
}
