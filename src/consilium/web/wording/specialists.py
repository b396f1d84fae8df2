"""Words of the pages on which specialists are built."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "specialists.what": (
        (
            "Labelled images of your hospital become a model that says how good it is, how sure that is, and when it "
            "should not be asked. The images stay on this machine."
        ),
        "用本院带标签的图像构建模型，并给出其性能、可信程度以及不应使用的情形。图像始终保留在本机。",
    ),
    "specialists.list": ("Specialists of your hospital", "本院的专科模型"),
    "specialists.name": ("Name", "名称"),
    "specialists.name_hint": (
        "Lower-case letters and digits, with single - or _ between.",
        "小写字母和数字，中间可用单个 - 或 _。",
    ),
    "specialists.state": ("State", "状态"),
    "specialists.files": ("Files", "文件数"),
    "specialists.asked_by": ("Asked for by", "申请人"),
    "specialists.asked_at": ("At", "时间"),
    "specialists.empty": ("There is no specialist yet", "还没有专科模型"),
    "specialists.empty_first": (
        (
            "Put the images of each class into a folder of its name, pack the folders as one ZIP archive, and hand "
            "it in below; 20 cases of each class are a beginning. With several images of a patient, give each a folder:"
        ),
        (
            "把每一类的图像放进以类名命名的文件夹，将这些文件夹打包成一个 ZIP 文件，在下方提交；每类至少约 20 例。"
            "同一患者有多幅图像时，请为每位患者建一个子文件夹："
        ),
    ),
    "specialists.layout": (
        "images.zip\n  normal/patient_01/a.png\n  normal/patient_02/a.png\n  tumour/patient_03/a.png\n  ...",
        "images.zip\n  正常/患者_01/a.png\n  正常/患者_02/a.png\n  肿瘤/患者_03/a.png\n  ...",
    ),
    "specialists.without": (
        "Specialists cannot be built here before a part is installed:",
        "本机缺少构建专科模型所需的组件，请先安装：",
    ),
    "specialists.may_not": (
        "To build one takes the role member at your hospital; the operator of the alliance gives it.",
        "构建专科模型需要本院的成员（member）角色，由联盟运营者授予。",
    ),
    "specialists.new": ("Build a specialist", "构建专科模型"),
    "specialists.hand_in": ("Hand images in", "提交图像"),
    "specialists.archive": ("A ZIP archive of folders", "文件夹的 ZIP 压缩包"),
    "specialists.archive_hint": (
        "At most {mb} MB unpacked. Only images, volumes, videos, tables and annotations are kept.",
        "解压后不超过 {mb} MB。仅保留图像、容积数据、视频、表格和标注文件。",
    ),
    "specialists.folder": (
        "Or a folder of your computer, of at most 1,000 files",
        "或选择您电脑上的文件夹（不超过 1000 个文件）",
    ),
    "specialists.point": ("Or point to a folder on the server", "或指定服务器上的文件夹"),
    "specialists.place": ("Folder or table", "文件夹或表格"),
    "specialists.no_place": ("none: I hand images in", "不使用：由我提交图像"),
    "specialists.this_folder": ("(this folder, {n} entries)", "（当前文件夹，{n} 项）"),
    "specialists.up": ("up", "上一级"),
    "specialists.no_roots": (
        "No folder of the server may be used. An administrator names folders when the workstation is started:",
        "尚未允许使用服务器上的文件夹。管理员可在启动工作站时指定：",
    ),
    "specialists.options": ("Options", "选项"),
    "specialists.task": ("What is learnt", "学习任务"),
    "specialists.auto": ("as the labels say", "由标签自动判断"),
    "specialists.classify": ("one label each", "单标签分类"),
    "specialists.multilabel": ("several labels each", "多标签分类"),
    "specialists.regress": ("a number", "数值回归"),
    "specialists.segment": ("outlines", "轮廓分割"),
    "specialists.detect": ("boxes", "目标检测"),
    "specialists.unsaid": ("not said", "未指定"),
    "specialists.group": ("Column that names the patient", "患者所在列"),
    "specialists.case": ("Column that names the case, where one has several files", "病例所在列（一例多个文件时）"),
    "specialists.seed": ("Seed of every lot that is drawn", "随机种子"),
    "specialists.labels": ("Names of the numbers in masks, parted by commas", "掩膜中各数值的名称，用逗号分隔"),
    "specialists.tolerance": ("Distance of outlines that does not count (pixels, mm)", "轮廓容差（像素或毫米）"),
    "specialists.instances": ("Each number in a mask is an object of its own", "掩膜中每个数值代表一个独立目标"),
    "specialists.no_mirror": ("Left and right matter: do not look at mirror images", "左右有别：不使用镜像"),
    "specialists.no_finer": ("Be quick: do not look in a finer size", "快速：不使用更高分辨率"),
    "specialists.fine_tune": ("Try to train the encoder too (minutes to hours)", "尝试微调编码器（数分钟至数小时）"),
    "specialists.build": ("Build it", "开始构建"),
    "specialists.failed": ("It could not be built.", "构建失败。"),
    "specialists.cancelled": ("Somebody cancelled it.", "构建已被取消。"),
    "specialists.lost": ("The engine does not know its job any more.", "计算引擎中已无此作业。"),
    "specialists.failed_then": (
        "What it wrote is below, with the reason and the way out. Correct that, remove this one, and build anew.",
        "下方输出中有原因和解决办法。请更正后移除此模型并重新构建。",
    ),
    "specialists.progress": ("How far it is", "进度"),
    "specialists.waits": ("waits for room", "等待计算资源"),
    "specialists.works": ("at work", "正在运行"),
    "specialists.left": ("about", "约剩"),
    "specialists.minutes": ("minutes left", "分钟"),
    "specialists.seconds": ("seconds left", "秒"),
    "specialists.cancel": ("Cancel", "取消"),
    "specialists.how_good": ("How good it is", "性能"),
    "specialists.report_en": ("Read the report", "阅读英文报告"),
    "specialists.report_zh": ("Read the report in Chinese", "阅读报告"),
    "specialists.write_en": ("Write the report in English", "生成英文报告"),
    "specialists.write_zh": ("Write the report in Chinese", "生成中文报告"),
    "specialists.being_written": ("was asked for; read this page anew", "已在生成，请稍后刷新本页"),
    "specialists.ask": ("Ask it about a picture", "用图像提问"),
    "specialists.picture": ("Picture, volume or video", "图像、容积数据或视频"),
    "specialists.ask_now": ("Ask", "提问"),
    "specialists.abstains": ("It should not be asked about this one:", "模型不应对此图像作答："),
    "specialists.file": ("File", "文件"),
    "specialists.label": ("Answer", "回答"),
    "specialists.set": ("Labels that cannot be ruled out", "不能排除的标签"),
    "specialists.probability": ("probability", "概率"),
    "specialists.probabilities": ("How probable each label is", "各标签的概率"),
    "specialists.whole_answer": ("The whole answer", "完整回答"),
    "specialists.publish": ("Publish it to the library", "发布到模型库"),
    "specialists.publish_means": (
        "It becomes a candidate, signed with your hospital's key; a second person approves it before others get it.",
        "发布后成为候选版本，以本院密钥签名；须由第二人批准后，他人才能使用。",
    ),
    "specialists.licence": ("Licence (SPDX)", "许可（SPDX）"),
    "specialists.data_licence": ("Licence of the images (SPDX)", "图像的许可（SPDX）"),
    "specialists.own_terms": ("Terms of your own (LicenseRef-...)", "自定义条款（LicenseRef-...）"),
    "specialists.licence_text": ("Text of the licence", "许可文本"),
    "specialists.features_leave": (
        "Features of the training cases may leave the hospital with it",
        "允许训练病例的特征随模型离开本院",
    ),
    "specialists.publish_now": ("Publish as a candidate", "发布为候选"),
    "specialists.made_from": ("What it is made from", "构建来源"),
    "specialists.left_out": ("{n} left out:", "另有 {n} 个未采用："),
    "specialists.source": ("Images", "图像来源"),
    "specialists.uploaded": ("handed in", "已提交"),
    "specialists.job": ("Job", "作业号"),
    "specialists.wrote": ("What the job wrote", "作业输出"),
    "specialists.remove": ("Remove it", "移除"),
    "specialists.remove_means": (
        "The images that were handed in, the model and its report go. What was published stays in the library.",
        "将删除已提交的图像、模型及其报告。已发布到模型库的版本会保留。",
    ),
    "specialists.remove_sure": ("Write {name} to be sure", "请输入 {name} 以确认"),
}
